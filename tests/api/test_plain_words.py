"""Scopes, authorization types and clients in words for people: what is told, and to whom."""

import base64
import hashlib

import pytest

from grant_management.models import ClientProfile, Description, GrantEvent, Logo, Reason

from ..doors import logo_in_base64
from ..world import BY_TEST, make_world, organization_token

TEXTS = [
    {"language": "en", "name": "Your accounts", "sentence": "See your accounts."},
    {"language": "de", "name": "Ihre Konten"},
]


@pytest.fixture
def manager(world):
    return organization_token(world, can_manage_services=True, can_manage_clients=True)


@pytest.fixture
def ask(world, manager, http):
    def send(path, of=world, api_token=manager, **members):
        return http(f"/api/{of.service.pk}/{path}", members, api_token)

    return send


def test_describe_change_and_delete(ask, world):
    made = ask("descriptions", scope="accounts", sensitivity="high", texts=TEXTS)
    assert made["scope"] == "accounts"
    assert made["texts"] == TEXTS
    assert ask("descriptions", scope="accounts", texts=TEXTS[:1])["sensitivity"] == "high"
    assert ask("descriptions/get", scope="accounts")["texts"] == TEXTS[:1]
    ask("descriptions/delete", scope="accounts")
    assert not Description.objects.exists()
    first, second, last = (event.details for event in GrantEvent.objects.order_by("pk"))
    assert first["before"] == {}
    assert second["before"]["texts"] == TEXTS
    assert last["after"] == {}


def test_a_type_is_no_scope_of_the_same_name(ask):
    ask("descriptions", scope="payment", texts=TEXTS)
    ask("descriptions", authorizationType="payment", texts=TEXTS[:1])
    assert ask("descriptions/get", scope="payment")["texts"] == TEXTS
    assert ask("descriptions/get", authorizationType="payment")["texts"] == TEXTS[:1]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_pages_of_descriptions_have_all(ask, limit):
    for name in ("a", "b", "c"):
        ask("descriptions", scope=name)
    ask("descriptions", authorizationType="b")
    found, more = [], {}
    while more is not None:
        page = ask("descriptions/list", limit=limit, **more)
        found += [one.get("scope") or one["authorizationType"] for one in page["descriptions"]]
        more = {"after": page["after"]} if "after" in page else None
    assert found == ["a", "b", "b", "c"]


def test_description_unknown(ask, world):
    other = make_world(world.service.organization)
    ask("descriptions", of=other, scope="accounts")
    for operation in ("get", "delete"):
        answer = ask(f"descriptions/{operation}", scope="accounts")
        assert (answer.status, answer["resultCode"]) == (404, "A295201")
    assert Description.objects.count() == 1


def test_either_a_scope_or_a_type(ask):
    for members in ({}, {"scope": "a", "authorizationType": "a"}):
        assert ask("descriptions", **members).status == 400


def test_the_right_is_needed(ask, world):
    for path in ("descriptions", "descriptions/get", "descriptions/list", "descriptions/delete"):
        assert ask(path, api_token=world.api_token, scope="a")["resultCode"] == "A292302"
    for path in ("clients/profile", "clients/profile/get"):
        answer = ask(path, api_token=world.api_token, clientIdentifier="app-1")
        assert answer["resultCode"] == "A292302"
    assert not Description.objects.exists()


def test_a_neighbour_describes_nothing_here(ask, world):
    stranger = organization_token(make_world(), can_manage_services=True)
    assert ask("descriptions", api_token=stranger, scope="a")["resultCode"] == "A458201"


def test_profile(ask, world):
    texts = [{"language": "en", "name": "Budget", "site": "https://budget.example/"}]
    answer = ask("clients/profile", clientIdentifier="app-1", texts=texts, logo=logo_in_base64())
    logo = Logo.objects.get()
    assert answer["logoSha256"] == hashlib.sha256(bytes(logo.content)).hexdigest()
    assert answer["logoSha256"] == bytes(logo.digest).hex()
    assert ask("clients/profile/get", clientId=world.client.pk)["texts"] == texts
    kept = ask("clients/profile", clientIdentifier="app-1", texts=[])
    assert kept["logoSha256"] == answer["logoSha256"]
    assert "logoSha256" not in ask("clients/profile", clientIdentifier="app-1", logo="")
    assert not Logo.objects.exists()
    assert GrantEvent.objects.filter(kind="client_changed").count() == 3


def test_no_profile_of_a_deleted_client(ask, world):
    world.client.hide(BY_TEST, Reason(""))
    assert ask("clients/profile", clientIdentifier="app-1", texts=[])["resultCode"] == "A291202"
    with pytest.raises(type(world.client).DoesNotExist):
        ClientProfile.objects.put(world.client, BY_TEST, texts=TEXTS[1:])


class TestLogo:
    """Public, and of clients that exist."""

    @pytest.fixture
    def path(self, ask, world):
        answer = ask("clients/profile", clientIdentifier="app-1", logo=logo_in_base64())
        return f"/self/{world.service.pk}/logos/{answer['logoSha256']}"

    def test_headers(self, client, path):
        response = client.get(path)
        assert response.content.startswith(b"\x89PNG")
        assert response["Content-Type"] == "image/png"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "default-src 'none'" in response["Content-Security-Policy"]
        assert client.head(path).status_code == 200
        assert client.post(path).status_code == 405

    def test_of_a_neighbour(self, client, path, world):
        other = make_world(world.service.organization)
        moved = path.replace(str(world.service.pk), str(other.service.pk))
        assert client.get(moved).status_code == 404

    def test_of_a_deleted_client_or_service(self, client, path, world):
        world.client.hide(BY_TEST, Reason(""))
        assert client.get(path).status_code == 404

    def test_of_a_deleted_service(self, client, path, world):
        world.service.hide(BY_TEST, Reason(""))
        assert client.get(path).status_code == 404


def test_a_logo_is_encoded_again(ask):
    """What a file has besides its picture is gone."""
    raw = base64.b64decode(logo_in_base64()) + b"<script>alert(1)</script>"
    ask("clients/profile", clientIdentifier="app-1", logo=base64.b64encode(raw).decode())
    assert b"script" not in bytes(Logo.objects.get().content)
