"""Authlete's management operations: rights, tenants, pages, and that what is deleted is gone."""

import io
import json
import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.core.management import CommandError, call_command
from django.test import Client as HTTP

from grant_management import lifecycle
from grant_management.db.counting import COUNT_LIMIT
from grant_management.interchange.exporter import records
from grant_management.models import (
    AccessToken,
    ApiToken,
    Client,
    Grant,
    GrantEvent,
    Reason,
    RefreshToken,
    Service,
    TokenStatus,
)

from ..world import BY_TEST, api_token_of, make_world, now, organization_token


class Door:
    """The API of one world, for its service's token or for another one."""

    def __init__(self, world):
        self.world = world
        ApiToken.objects.filter(service=world.service).update(can_manage_clients=True)
        self.manager = organization_token(world, can_manage_services=True)

    def __call__(self, method, path, members=None, *, token=None, service=None, **headers):
        number = (service or self.world.service).pk
        url = path if path.startswith("/") else f"/api/{number}/{path}"
        sent = {}
        if method == "POST":
            sent = {"data": json.dumps(members or {}), "content_type": "application/json"}
        elif members:
            url += "?" + urlencode(members)
        headers["Authorization"] = f"Bearer {token or self.world.api_token}"
        response = HTTP().generic(method, url, headers=headers, **sent)
        return response.status_code, json.loads(response.content or "{}")

    def owner(self, method, path, members=None, **more):
        return self(method, path, members, token=self.manager, **more)


@pytest.fixture
def door(world):
    return Door(world)


CLIENTS = [
    ("POST", "client/create", {}),
    ("GET", "client/get/list", None),
    ("GET", "client/get/app-1", None),
    ("POST", "client/update/app-1", {"clientName": "x"}),
    ("DELETE", "client/delete/app-1", None),
]
SERVICES = [
    ("POST", "/api/service/create", {"serviceName": "x"}),
    ("GET", "/api/service/get/list", None),
    ("GET", "service/get", None),
    ("POST", "service/update", {"serviceName": "x"}),
    ("DELETE", "service/delete", None),
]
OTHERS = [
    ("GET", "auth/token/get/list", None),
    ("POST", "auth/token/update", {"accessToken": "x"}),
    ("DELETE", "auth/token/delete/x", None),
    ("POST", "auth/introspection/standard", {"parameters": "token=x"}),
    ("GET", "client/authorization/get/list/user-1", None),
    ("DELETE", "client/authorization/delete/app-1/user-1", None),
    ("GET", "client/granted_scopes/get/app-1/user-1", None),
    ("DELETE", "client/granted_scopes/delete/app-1/user-1", None),
]


def everything():
    return list(records(None))


@pytest.mark.parametrize("operation", CLIENTS + SERVICES, ids=lambda one: one[1])
def test_right_missing(world, door, operation):
    """Of a service's token, and of an organization's; and nothing happens."""
    ApiToken.objects.update(can_manage_clients=False)
    everyone = [world.api_token, organization_token(world, can_manage_tokens=True)]
    before = everything()
    for token in everyone:
        status, answer = door(*operation, token=token)
        assert (status, answer["resultCode"]) == (403, "A292302")
    assert everything() == before


@pytest.mark.parametrize("operation", CLIENTS + SERVICES + OTHERS, ids=lambda one: one[1])
def test_another_tenant(world, door, operation):
    """No token of another organization, and no token of a sibling service, whatever its rights."""
    rights = {"can_manage_clients": True}
    sibling = make_world(world.service.organization)
    strangers = [
        api_token_of(organization=sibling.service.organization, service=sibling.service, **rights),
        organization_token(make_world(), can_manage_services=True, **rights),
    ]
    before = everything()
    for token in strangers:
        if operation[1].startswith("/"):
            continue
        status, answer = door(*operation, token=token)
        assert (status, answer["resultCode"]) == (403, "A458201")
    assert everything() == before


def test_lists_are_of_one_tenant(world, door):
    make_world()
    sibling = make_world(world.service.organization)
    _, services = door.owner("GET", "/api/service/get/list", {"end": 10})
    assert {one["apiKey"] for one in services["services"]} == {world.service.pk, sibling.service.pk}
    _, made = door.owner("POST", "/api/service/create", {"serviceName": "New"})
    assert Service.objects.get(pk=made["apiKey"]).organization == world.service.organization
    assert door("GET", "client/get/list")[1]["totalCount"] == 1
    sibling.token(sibling.grant())
    assert door("GET", "auth/token/get/list")[1]["totalCount"] == 0
    assert door("GET", "client/authorization/get/list/user-1")[1]["totalCount"] == 0
    value = sibling.token()
    assert door("DELETE", f"auth/token/delete/{value}") == (204, {})
    assert AccessToken.objects.filter(revoked_at=None).count() == 2


@pytest.mark.parametrize("operation", CLIENTS + SERVICES + OTHERS, ids=lambda one: one[1])
def test_methods_and_bodies(world, door, operation):
    """Another method is 405, and a GET or a DELETE has no body."""
    method, path, _ = operation
    token = door.manager if "service/" in path else None
    assert door("PUT", path, token=token)[1]["resultCode"] == "A001205"
    if method != "POST":
        url = path if path.startswith("/") else f"/api/{world.service.pk}/{path}"
        headers = {"Authorization": f"Bearer {token or world.api_token}"}
        response = HTTP().generic(method, url, b"{}", "application/json", headers=headers)
        assert response.json()["resultCode"] == "A126202"
    if method == "GET":
        assert door("HEAD", path, token=token)[0] == 200


def test_store_client_not_found(world, door):
    other = make_world().client
    for name in ("nobody", str(other.pk), "9" * 30, b"a\0b".decode()):
        for method, path in (("GET", "get"), ("POST", "update"), ("DELETE", "delete")):
            status, answer = door(method, f"client/{path}/{name}".replace("\0", "%00"))
            assert (status, answer["resultCode"]) == (404, "A291205")


@pytest.mark.parametrize("quoted", ["https://app.example", "https%3A%2F%2Fapp.example"])
def test_a_client_id_may_have_slashes(world, door, quoted):
    """A URL is one (OAuth Client ID Metadata Documents). Where a subject may follow, by number."""
    named = {"clientIdAlias": "https://app.example"}
    number = door("POST", "client/create", named)[1]["clientId"]
    assert door("GET", f"client/get/{quoted}")[1]["clientId"] == number
    changed = door("POST", f"client/update/{quoted}", {"clientName": "App"})[1]
    assert (changed["clientId"], changed["clientName"]) == (number, "App")
    for path in (f"{number}/user/1", f"{number}"):
        about = {} if "user" in path else {"subject": "user/1"}
        shown = door("GET", f"client/granted_scopes/get/{path}", about)[1]
        assert (shown["clientId"], shown["subject"]) == (number, "user/1")
    code = door("GET", f"client/granted_scopes/get/{quoted}", {"subject": "user/1"})[1][
        "resultCode"
    ]
    assert code != "A001208"
    assert door("DELETE", f"client/delete/{quoted}")[0] == 204
    assert door("GET", f"client/get/{number}")[0] == 404


def test_a_number_comes_before_an_id(world, door):
    """A client whose ID is the number of another one is found by its own number."""
    twin = world.client_named(str(world.client.pk))
    assert door("GET", f"client/get/{world.client.pk}")[1]["clientIdAlias"] == "app-1"
    assert door("GET", f"client/get/{twin.pk}")[1]["clientId"] == twin.pk


def test_a_deleted_client_is_gone(world, door):
    """For every operation, by every name; and nothing brings it or its tokens back."""
    grant = world.grant()
    token, refresh = world.token(grant), world.refresh_token(grant)
    assert door("DELETE", "client/delete/app-1") == (204, {})
    world.client.refresh_from_db()
    assert world.client.deleted_at == world.client.locked_at == world.client.not_before
    for name in ("app-1", world.client.pk):
        for method, path in (("GET", "get"), ("POST", "update"), ("DELETE", "delete")):
            assert door(method, f"client/{path}/{name}")[0] == 404
    by_name = {"clientIdentifier": "app-1"}
    members = {"grantType": "AUTHORIZATION_CODE", "subject": "user-1", **by_name}
    assert door("GET", "client/get/list")[1]["clients"] == []
    assert door("GET", "auth/token/get/list")[1]["accessTokens"] == []
    assert door("GET", "client/authorization/get/list/user-1")[1]["clients"] == []
    assert door("POST", "grants/list", {"subject": "user-1"})[1]["grants"] == []
    assert door("POST", f"grants/{grant.grant_id}/get")[0] == 404
    assert door("POST", "auth/token/create", members)[1]["action"] == "BAD_REQUEST"
    for path in ("clients", "grants", "grants/check"):
        assert door("POST", path, by_name | {"locked": False})[0] == 400
    assert door("POST", "client/create", {"clientIdAlias": "app-1"})[0] == 400
    called = {"gmAction": "QUERY", "grantId": grant.grant_id, "accessToken": token}
    assert door("POST", "gm", called)[1]["action"] == "UNAUTHORIZED"
    again = {"refreshToken": refresh, **by_name}
    assert door("POST", "tokens/refresh", again)[0] == 400
    changed = door("POST", "auth/token/update", {"accessToken": token, "scopes": ["x"]})
    assert changed[1]["action"] == "NOT_FOUND"
    assert not world.client.unlock(BY_TEST, Reason(""))
    with pytest.raises(lifecycle.LifecycleError):
        lifecycle.issue(world.client, "user-1", None, lifecycle.Issue())
    with pytest.raises(CommandError):
        call_command("unlock_client", "--service", world.service.pk, "--client", "app-1")
    assert (Grant.objects.count(), Client.objects.count()) == (1, 1)


def test_a_deleted_service_is_gone(world, door):
    grant = world.grant()
    token = world.token(grant)
    assert door.owner("DELETE", "service/delete") == (204, {})
    world.service.refresh_from_db()
    assert world.service.deleted_at == world.service.not_before
    manager = organization_token(world, can_manage_tokens=True)
    for caller in (world.api_token, door.manager, manager):
        for method, path, members in CLIENTS + OTHERS + SERVICES[2:]:
            assert door(method, path, members, token=caller)[0] == 403
    members = {"serviceId": world.service.pk}
    assert door("POST", "/api/servicetoken/create", members, token=manager)[0] == 403
    assert door("POST", "/api/servicetoken/all", token=manager)[1] == []
    assert door.owner("GET", "/api/service/get/list")[1]["services"] == []
    number = world.service.pk
    assert HTTP().get(f"/.well-known/oauth-authorization-server/{number}").status_code == 404
    headers = {"Authorization": f"Bearer {token}"}
    assert HTTP().get(f"/gm/{number}/{grant.grant_id}", headers=headers).status_code == 404
    with pytest.raises(CommandError):
        call_command("issue_api_token", "--service", number)
    with pytest.raises(lifecycle.LifecycleError):
        lifecycle.issue(world.client, "user-1", None, lifecycle.Issue())
    call_command("export_grants", "--service", number, stdout=io.StringIO())


def test_the_admin_shows_what_was_deleted(world, door, admin_client):
    assert door("DELETE", "client/delete/app-1")[0] == 204
    assert door.owner("DELETE", "service/delete")[0] == 204
    base = "/admin/grant_management"
    for path in (f"client/{world.client.pk}/change/", f"service/{world.service.pk}/change/"):
        page = admin_client.get(f"{base}/{path}").content.decode()
        assert "(deleted)" in page
        for button in ("/lock/", "/unlock/", "/cut-off/", "/settings/"):
            assert button not in page
    listed = admin_client.get(f"{base}/service/").content.decode()
    assert re.search('class="field-deleted_at[^"]*"><time', listed)
    assert admin_client.get(f"{base}/service/{world.service.pk}/settings/").status_code == 404
    data = {"organization": world.service.organization_id, "service": world.service.pk, "once": "x"}
    assert admin_client.post(f"{base}/apitoken/issue/", data).status_code == 200
    assert not ApiToken.objects.filter(created_by="admin").exists()


def test_exports_keep_what_was_deleted(world, door, tmp_path):
    """And an import that knows nothing of the deletion does not undo it."""
    known = map(json.loads, everything())
    before = [record for record in known if record["type"] in ("service", "client")]
    assert door("DELETE", "client/delete/app-1")[0] == 204
    assert door.owner("DELETE", "service/delete")[0] == 204
    exported = io.StringIO()
    call_command("export_grants", stdout=exported)
    kept = [json.loads(line) for line in exported.getvalue().splitlines()]
    assert sum("deleted_at" in record for record in kept) == 2
    path = tmp_path / "records.jsonl"
    path.write_text("\n".join(map(json.dumps, before)))
    again = everything()
    call_command("import_grants", path, stdout=io.StringIO(), stderr=io.StringIO())
    assert everything() == again


def test_a_record_that_is_deleted_is_cut_off_and_locked(world, tmp_path):
    record = {"type": "client", "service": world.service.pk, "client_id": "new", "deleted_at": 5}
    path = tmp_path / "records.jsonl"
    path.write_text(json.dumps(record))
    call_command("import_grants", path, stdout=io.StringIO(), stderr=io.StringIO())
    client = Client.objects.get(client_id="new")
    assert client.deleted_at == client.not_before == client.locked_at


class TestTokens:
    def test_the_list_has_what_works(self, world, door):
        """`alive` in SQL is what `status` says of each token, of both kinds."""
        self.tokens(world)
        at = now()
        for model in (AccessToken, RefreshToken):
            rows = list(model.objects.select_related("client", "grant", "service"))
            working = {
                row.pk
                for row in rows
                if row.status(at) in (TokenStatus.ACTIVE, TokenStatus.CLIENT_LOCKED)
            }
            assert set(model.objects.alive(at).values_list("pk", flat=True)) == working
            assert 0 < len(working) < len(rows)
        listed = door("GET", "auth/token/get/list", {"end": 100})[1]
        alive = AccessToken.objects.filter(service=world.service).alive(now())
        assert len(listed["accessTokens"]) == listed["totalCount"] == alive.count()

    @staticmethod
    def tokens(world):
        past, later = now() - timedelta(seconds=9), now() + timedelta(hours=1)
        cut = world.client_named("cut", not_before=now() - timedelta(minutes=2))
        locked = world.client_named("locked", locked_at=past)
        grants = [
            None,
            world.grant(),
            world.grant(expires_at=past),
            world.grant(expires_at=later),
            world.grant(revoked_at=past),
            world.grant(revoked_at=past, access_generation=1, refresh_generation=1),
            world.grant(created_at=now() - timedelta(hours=1)),
        ]
        for grant in grants:
            for client in (world.client, cut, locked):
                if grant is not None:
                    grant = world.grant(**_copied(grant), client=client)
                for fields in (
                    {},
                    {"revoked_at": past},
                    {"expires_at": past},
                    {"issued_at": now()},
                ):
                    for model in (AccessToken, RefreshToken):
                        world.token(grant, model=model, client=client, **fields)

    def test_pages(self, world, door):
        for hours in range(7):
            world.token(expires_at=now() + timedelta(hours=1 + hours), subject="user-1")
        first = door("GET", "auth/token/get/list")[1]
        assert (first["start"], first["end"], first["totalCount"]) == (0, 5, 7)
        rest = door("GET", "auth/token/get/list", {"start": 5, "end": 10})[1]
        ends = [
            one["accessTokenExpiresAt"] for page in (first, rest) for one in page["accessTokens"]
        ]
        assert (len(ends), ends) == (7, sorted(ends, reverse=True))
        assert door("GET", "auth/token/get/list", {"end": 0})[1]["end"] == 5
        wrong = [(3, 2), (0, 1_001), (100_001, ""), (-1, 2), ("x", 2)]
        for start, end in wrong:
            status, answer = door("GET", "auth/token/get/list", {"start": start, "end": end})
            assert (status, answer["resultCode"]) == (400, "A126202")

    def test_change(self, world, door):
        end = now() + timedelta(hours=2)
        grant = world.grant(expires_at=end)
        value = world.token(grant)
        far = int((end + timedelta(days=1)).timestamp()) * 1_000
        members = {"accessToken": value, "accessTokenExpiresAt": far, "dpopKeyThumbprint": "A" * 43}
        answer = door("POST", "auth/token/update", members)[1]
        assert answer["action"] == "OK"
        assert answer["tokenType"] == "DPoP"
        assert answer["accessTokenExpiresAt"] == int(end.timestamp() * 1_000)
        token = AccessToken.objects.get()
        assert token.expires_at == end
        event = GrantEvent.objects.get()
        assert event.grant_id == grant.grant_id
        assert set(event.details["after"]) == {"expires_at", "jkt"}
        assert value not in json.dumps(event.details)
        by_id = {"tokenId": str(token.pk), "accessTokenPersistent": True, "scopes": []}
        assert door("POST", "auth/token/update", by_id)[1]["action"] == "OK"
        token.refresh_from_db()
        assert (token.expires_at, token.scopes) == (end, "")

    def test_nothing_changes(self, world, door):
        """What an SDK sends for members that were never set."""
        value = world.token()
        unset = {
            "accessTokenExpiresAt": 0,
            "refreshTokenExpiresAt": 0,
            "accessTokenValueUpdated": False,
            "authorizationDetails": None,
            "scopes": None,
        }
        answer = door("POST", "auth/token/update", {"accessToken": value} | unset)[1]
        assert answer["action"] == "OK"
        assert not GrantEvent.objects.exists()

    @pytest.mark.parametrize(
        "member",
        [
            {"refreshTokenExpiresAt": 5},
            {"accessTokenValueUpdated": True},
            {"forExternalAttachment": True},
            {"authorizationDetails": {"elements": []}},
            {"accessTokenExpiresAt": 1_000},
            {"scopes": "read"},
            {"dpopKeyThumbprint": "x"},
        ],
    )
    def test_refused_changes(self, world, door, member):
        value, before = world.token(), everything()
        status, answer = door("POST", "auth/token/update", {"accessToken": value} | member)
        assert status == 400 or answer["action"] == "BAD_REQUEST"
        assert everything() == before

    def test_delete_by_hash_and_of_a_family(self, world, door):
        world.token(value="with/slash+and=more")
        assert door("DELETE", "auth/token/delete/with/slash+and=more")[0] == 204
        world.token()
        hashed = door("GET", "auth/token/get/list")[1]["accessTokens"][0]["accessTokenHash"]
        assert door("DELETE", f"auth/token/delete/{hashed}")[0] == 204
        refresh = world.refresh_token()
        assert door("DELETE", f"auth/token/delete/{refresh}")[0] == 204
        assert not AccessToken.objects.filter(revoked_at=None).exists()
        assert not RefreshToken.objects.filter(revoked_at=None).exists()


def test_store_token_not_found(world, door):
    """A token that is unknown, another tenant's, or dead; one of a locked client is FORBIDDEN."""
    dead = world.token(expires_at=now())
    for value in ("unknown", dead, make_world().token()):
        members = {"accessToken": value, "accessTokenPersistent": True}
        answer = door("POST", "auth/token/update", members)[1]
        assert answer["action"] == "NOT_FOUND"
    value = world.token(client=world.client_named("locked", locked_at=now()))
    answer = door("POST", "auth/token/update", {"accessToken": value, "scopes": ["x"]})[1]
    assert answer["action"] == "FORBIDDEN"
    assert door("POST", "auth/token/update", {"scopes": ["x"]})[1]["action"] == "BAD_REQUEST"


def _copied(grant):
    names = ("expires_at", "revoked_at", "access_generation", "refresh_generation", "created_at")
    return {name: getattr(grant, name) for name in names}


class TestConsents:
    def test_the_end_of_an_authorization(self, world, door):
        """Every grant and token of this client and subject, and of nobody else."""
        other, client = world.grant(subject="user-2"), world.client_named("other")
        spared = [world.token(other), world.token(client=client, subject="user-1")]
        for grant in (world.grant(), world.grant(pending=True), None):
            world.token(grant, subject="user-1")
            world.refresh_token(grant, subject="user-1")
        world.service.revoke_access_tokens = False
        world.service.save()
        assert door("DELETE", "client/authorization/delete/app-1/user-1")[0] == 200
        assert Grant.objects.filter(revoked_at=None).get() == other
        assert AccessToken.objects.alive(now()).count() == len(spared)
        assert not RefreshToken.objects.alive(now()).exists()

    def test_subjects(self, world, door):
        """In the path, the query or the body; two that differ are none."""
        world.grant(subject="a/b c")
        for method, path, members in (
            ("GET", "client/authorization/get/list/a%2Fb%20c", None),
            ("GET", "client/authorization/get/list", {"subject": "a/b c"}),
            ("GET", "client/authorization/get/list/a%2Fb%20c", {"subject": "a/b c"}),
            ("POST", "client/authorization/get/list", {"subject": "a/b c", "start": 0, "end": 0}),
        ):
            answer = door(method, path, members)[1]
            assert (answer["subject"], answer["totalCount"]) == ("a/b c", 1)
        for path, members in (("", None), ("/x", {"subject": "y"})):
            status, answer = door("GET", f"client/authorization/get/list{path}", members)
            assert (status, answer["resultCode"]) == (400, "A126202")
        asked = {"subject": "a/b c", "developer": "d"}
        assert door("POST", "client/authorization/get/list", asked)[0] == 400

    def test_scopes(self, world, door):
        world.grant(scopes='[{"scope":"email openid"}]')
        world.grant(scopes='[{"scope":"read"}]', last_updated_at=now())
        world.grant(scopes='[{"scope":"dead"}]', revoked_at=now())
        answer = door("GET", "client/granted_scopes/get/app-1/user-1")[1]
        assert answer["mergedGrantedScopes"] == ["email", "openid", "read"]
        assert answer["latestGrantedScopes"] == ["read"]
        loose = world.token(subject="user-1")
        assert door("DELETE", "client/granted_scopes/delete/app-1/user-1")[0] == 200
        assert "mergedGrantedScopes" not in door("GET", "client/granted_scopes/get/app-1/user-1")[1]
        assert door("POST", "introspect", {"token": loose})[1]["active"] is True


def test_standard_introspection(world, door):
    def ask(parameters):
        return door("POST", "auth/introspection/standard", {"parameters": parameters})[1]

    answer = ask(urlencode({"token": world.token(), "token_type_hint": "access_token"}))
    assert json.loads(answer["responseContent"])["client_id"] == "app-1"
    for wrong in ("", "x=y", "token=a&token=b", "token=%00"):
        answer = ask(wrong)
        assert answer["action"] == "BAD_REQUEST"
        assert json.loads(answer["responseContent"])["error"] == "invalid_request"


def test_writes_are_idempotent_with_a_key(world, door):
    key = {"Idempotency-Key": "k"}
    answers = [door("POST", "client/create", {"clientName": "New"}, **key) for _ in range(2)]
    assert answers[0] == answers[1]
    assert Client.objects.filter(name="New").count() == 1


@pytest.mark.parametrize(
    ("path", "members", "number"),
    [
        ("client/get/list", {"end": 100}, 3),
        ("auth/token/get/list", {"end": 100, "subject": "user-1"}, 3),
        ("auth/token/get/list", {"end": 100, "clientIdentifier": "app-1"}, 4),
        ("client/authorization/get/list/user-1", {"end": 100}, 3),
        ("client/granted_scopes/get/app-1/user-1", None, 3),
    ],
)
def test_queries_of_a_list(world, door, django_assert_num_queries, path, members, number):
    """As many for one row as for a hundred."""
    door("GET", path, members)  # the use of the API token is stored once a minute
    for rows in (1, 30):
        for _ in range(rows):
            client = world.client_named(f"app-{Client.objects.count() + 1}")
            world.token(world.grant(client=client), client=client)
            world.token(world.grant())
        with django_assert_num_queries(number):
            assert door("GET", path, members)[0] == 200


def test_a_total_is_bounded(world, door):
    Client.objects.bulk_create(
        [Client(service=world.service, client_id=f"c-{n}") for n in range(COUNT_LIMIT + 5)],
        batch_size=1_000,
    )
    page = door("GET", "client/get/list", {"start": COUNT_LIMIT, "end": COUNT_LIMIT + 10})[1]
    assert (page["totalCount"], len(page["clients"])) == (COUNT_LIMIT + 1, 6)
