"""The API that issues API tokens: of one's own organization, and never more than was given."""

import json

import pytest
from django.test import Client as HTTP

from grant_management.models import ApiToken, OrganizationEvent
from grant_management.models import api_token as api_tokens

from ..world import make_world, now, organization_token


@pytest.fixture
def manager(world):
    return organization_token(world, can_manage_tokens=True)


@pytest.fixture
def provision(manager):
    def send(path, members=None, api_token=manager):
        headers = {"Authorization": f"Bearer {api_token}"}
        body = json.dumps(members or {})
        response = HTTP().post(
            f"/api/{path}", body, content_type="application/json", headers=headers
        )
        assert response["Content-Type"] == "application/json"
        assert response["Cache-Control"] == "no-store"
        return response.status_code, json.loads(response.content)

    return send


def works(post, world, value):
    return post(f"/api/{world.service.pk}/gm", {}, api_token=value).status == 200


@pytest.mark.parametrize("kind", ["service", "organization"])
def test_the_life_of_a_token(world, provision, post, kind):
    for_service = {"serviceId": world.service.pk} if kind == "service" else {}
    asked = for_service | {
        "organizationId": world.service.organization_id,
        "apiServerId": 7,
        "description": "CI",
    }
    status, made = provision(f"{kind}token/create", asked)
    assert status == 200
    first = made.pop("accessToken")
    assert made == asked | {"tokenId": made["tokenId"]}
    assert works(post, world, first)
    one = {"tokenId": made["tokenId"]}
    assert provision(f"{kind}token/update", one | {"description": "CD"})[1]["description"] == "CD"
    _, listed = provision(f"{kind}token/all", for_service)
    assert made["tokenId"] in [token["tokenId"] for token in listed]
    assert first not in json.dumps(listed)
    _, rotated = provision(f"{kind}token/rotate", one)
    assert rotated["tokenId"] == made["tokenId"]
    assert not works(post, world, first)
    assert works(post, world, rotated["accessToken"])
    assert provision(f"{kind}token/revoke", one) == (200, {})
    assert not works(post, world, rotated["accessToken"])
    assert made["tokenId"] not in json.dumps(provision(f"{kind}token/all")[1])


def test_the_right_cannot_be_handed_on(world, provision):
    _, made = provision(
        "organizationtoken/create", {"canManageTokens": True, "can_manage_tokens": True}
    )
    assert ApiToken.objects.get(pk=made["tokenId"]).can_manage_tokens is False
    assert provision("organizationtoken/create", api_token=made["accessToken"])[0] == 403


class TestARightStaysWithItsHolder:
    """Nobody gets the value of a token that has a right, nor touches one that has more."""

    @pytest.mark.parametrize("own", [True, False])
    def test_it_is_not_rotated_into_the_open(self, world, provision, post, manager, own):
        """Neither another's nor its own: a value is all that it takes to hand a right on."""
        other = organization_token(world, can_manage_tokens=True)
        value = manager if own else other
        token = ApiToken.objects.get(prefix=value[:8])
        status, answer = provision("organizationtoken/rotate", {"tokenId": str(token.pk)})
        assert (status, answer["resultCode"]) == (403, "A292301")
        assert "accessToken" not in answer
        assert works(post, world, value)
        assert provision("organizationtoken/all")[0] == 200

    def test_it_can_be_taken_from_service(self, world, provision, post):
        """To describe or to revoke a token hands nothing on, where the caller lacks none of it."""
        other = organization_token(world, can_manage_tokens=True)
        one = {"tokenId": str(ApiToken.objects.get(prefix=other[:8]).pk)}
        assert provision("organizationtoken/update", one | {"description": "x"})[0] == 200
        assert provision("organizationtoken/revoke", one) == (200, {})
        assert not works(post, world, other)

    @pytest.mark.parametrize("operation", ["rotate", "update", "revoke"])
    def test_more_than_the_caller_has(self, world, provision, post, monkeypatch, operation):
        """Whatever rights there will be: here it stands in another column's place."""
        more = ("can_manage_tokens", "description")
        monkeypatch.setattr(api_tokens, "RIGHTS", more)
        other = organization_token(world, description="manage_services")
        token = ApiToken.objects.get(prefix=other[:8])
        members = {"tokenId": str(token.pk), "description": "taken"}
        status, answer = provision(f"organizationtoken/{operation}", members)
        assert (status, answer["resultCode"]) == (403, "A292301")
        token.refresh_from_db()
        assert (token.description, token.revoked_at) == ("manage_services", None)
        assert works(post, world, other)
        assert not OrganizationEvent.objects.exists()

    def test_it_is_judged_under_the_lock(self, world, provision, monkeypatch):
        """A token that got its right after it was found keeps its value."""
        value = organization_token(world)
        token = ApiToken.objects.get(prefix=value[:8])
        held = ApiToken._held

        def given_meanwhile(self, judge):
            ApiToken.objects.filter(pk=self.pk).update(can_manage_tokens=True)
            return held(self, judge)

        monkeypatch.setattr(ApiToken, "_held", given_meanwhile)
        assert provision("organizationtoken/rotate", {"tokenId": str(token.pk)})[0] == 403
        assert ApiToken.objects.get(pk=token.pk).prefix == value[:8]


def test_management_not_allowed(world, provision):
    """Without the right, for a service token, and for what is another organization's."""
    other = make_world()
    before = ApiToken.objects.count()
    for value in (world.api_token, organization_token(world)):
        status, answer = provision("servicetoken/create", {"serviceId": world.service.pk}, value)
        assert (status, answer["resultCode"]) == (403, "A292301")
    for members in (
        {"serviceId": other.service.pk},
        {"serviceId": 5},
        {"serviceId": world.service.pk, "organizationId": other.service.organization_id},
    ):
        assert provision("servicetoken/create", members)[0] == 403
    assert ApiToken.objects.count() == before + 1


def test_api_token_unknown(world, provision, post):
    """Another organization's, the other kind, a dead one, none at all: all the same."""
    other = make_world()
    theirs = ApiToken.objects.get(organization=other.service.organization)
    mine = ApiToken.objects.get(service=world.service)
    dead = organization_token(world, revoked_at=now())
    for path, token_id in (
        ("servicetoken", theirs.pk),
        ("organizationtoken", mine.pk),
        ("organizationtoken", ApiToken.objects.exclude(revoked_at=None).get().pk),
        ("servicetoken", "00000000-0000-7000-8000-000000000000"),
    ):
        for operation in ("update", "rotate", "revoke"):
            status, answer = provision(f"{path}/{operation}", {"tokenId": str(token_id)})
            assert (status, answer["resultCode"]) == (404, "A292201")
    assert works(post, other, other.api_token)
    assert works(post, world, world.api_token)
    assert not works(post, world, dead)


def test_unreadable(world, provision):
    for path, members in (
        ("servicetoken/create", {}),
        ("servicetoken/create", {"serviceId": "x"}),
        ("servicetoken/create", {"serviceId": world.service.pk, "description": "x" * 256}),
        ("servicetoken/rotate", {}),
        ("servicetoken/rotate", {"tokenId": "x"}),
        ("organizationtoken/create", {"description": 1}),
    ):
        status, answer = provision(path, members)
        assert (status, answer["resultCode"]) == (400, "A126202"), (path, members)
    assert provision("servicetoken/create", {"serviceId": str(world.service.pk)})[0] == 200


def test_transport(world, post, manager):
    assert post("/api/servicetoken/create", {}).code == "A001202"
    assert post("/api/servicetoken/create", method="GET", api_token=manager).code == "A001205"
    assert post("/api/servicetoken/other", {}, api_token=manager).code == "A001208"
