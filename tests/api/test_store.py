"""The store over HTTP: what an authorization server in another language needs."""

import hashlib
import json
from datetime import timedelta

import pytest
from django.test import Client as HTTP

from grant_management.models import (
    AccessToken,
    Client,
    Grant,
    GrantEvent,
    IdempotencyKey,
    Reason,
    RefreshToken,
)

from ..world import BOTH, BY_TEST, Key, b64, certificate, make_world, now, organization_token


@pytest.fixture
def store(world):
    """Call an operation; the HTTP status and the answer."""

    def send(path, members=None, *, to=None, api_token=None, key=None):
        headers = {"Authorization": f"Bearer {api_token or world.api_token}"}
        if key:
            headers["Idempotency-Key"] = key
        url = f"/api/{(to or world).service.pk}/{path}"
        http = HTTP(raise_request_exception=False)
        body = json.dumps(members or {})
        response = http.post(url, body, content_type="application/json", headers=headers)
        assert response["Content-Type"] == "application/json"
        assert response["Cache-Control"] == "no-store"
        return response.status_code, json.loads(response.content)

    return send


@pytest.fixture
def granted(world, store):
    """A grant, and tokens of it, made through the store."""
    _, grant = store(
        "grants",
        {"clientIdentifier": "app-1", "subject": "user-1", "scopes": [{"scope": "openid"}]},
    )
    tokens = token(store, grantId=grant["grantId"])
    return grant["grantId"], tokens


def token(store, **members):
    base = {
        "grantType": "AUTHORIZATION_CODE",
        "clientIdentifier": "app-1",
        "subject": "user-1",
        "scopes": BOTH.split(),
    }
    status, answer = store("auth/token/create", base | members)
    assert status == 200
    return answer


class TestGrants:
    def test_create_and_get(self, world, store):
        members = {
            "clientId": world.client.pk,
            "clientIdentifier": "app-1",
            "subject": "user-1",
            "scopes": [{"scope": "write read", "resource": ["https://a"]}],
            "claims": ["name"],
            "authorizationDetails": [{"type": "t", "n": 1}],
            "expiresAt": 4_000_000_000_500,
        }
        status, made = store("grants", members)
        assert (status, made["resultCode"], made["status"]) == (200, "A291001", "pending")
        assert made["scopes"] == [{"scope": "read write", "resource": ["https://a"]}]
        assert (made["claims"], made["authorizationDetails"]) == (["name"], [{"type": "t", "n": 1}])
        assert made["expiresAt"] == 4_000_000_000_500
        _, got = store(f"grants/{made['grantId']}/get")
        assert got == made

    def test_numbers_of_details_stay_as_they_came(self, world, store):
        body = b'{"clientIdentifier":"app-1","subject":"u","authorizationDetails":[{"type":"t","n":1.10}]}'
        response = HTTP().post(
            f"/api/{world.service.pk}/grants",
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {world.api_token}"},
        )
        assert b'"n":1.10' in response.content

    def test_merge_and_replace(self, store, granted):
        grant_id, _ = granted
        _, merged = store(f"grants/{grant_id}/merge", {"scopes": [{"scope": "read"}]})
        assert merged["scopes"] == [{"scope": "openid read"}]
        _, replaced = store(f"grants/{grant_id}/replace", {"claims": ["email"]})
        assert ("scopes" in replaced, replaced["claims"]) == (False, ["email"])
        assert Grant.objects.get().refresh_generation == 2

    def test_revoke(self, world, store, granted, call):
        grant_id, tokens = granted
        _, revoked = store(f"grants/{grant_id}/revoke", {"reason": "suspected fraud", "note": "n"})
        assert revoked["status"] == "revoked"
        assert (
            call(gmAction="QUERY", grantId=grant_id, accessToken=tokens["accessToken"]).code
            == "A280303"
        )
        assert store(f"grants/{grant_id}/revoke")[1]["revokedAt"] == revoked["revokedAt"]
        event = GrantEvent.objects.get(kind="revoked")
        assert (event.actor, event.reason, event.note) == (
            world.api_token[:8],
            "suspected fraud",
            "n",
        )
        assert store(f"grants/{grant_id}/merge", {"claims": ["x"]})[1]["resultCode"] == "A291201"

    def test_check(self, world, store):
        """The matrix of the draft's §5.4, for authorization servers elsewhere."""
        grant = world.grant()
        who = {"clientIdentifier": "app-1", "subject": "user-1"}

        def check(action="", grant_id="", **changes):
            members = who | changes | {"grantManagementAction": action, "grantId": grant_id}
            status, answer = store("grants/check", members)
            assert status == 200
            return answer.get("error", answer["action"])

        assert check() == check("create") == check("merge", grant.grant_id) == "OK"
        assert (
            check("merge")
            == check("create", grant.grant_id)
            == check("", grant.grant_id)
            == "invalid_request"
        )
        assert (
            check("merge", "unknown")
            == check("merge", grant.grant_id, subject="user-2")
            == "invalid_grant_id"
        )
        assert Grant.objects.count() == 1

    def test_list(self, world, store):
        for number in range(5):
            world.grant(created_at=now() - timedelta(minutes=number))
        world.grant(subject="user-2")
        dead = world.grant(revoked_at=now(), created_at=now() - timedelta(hours=1))
        _, first = store("grants/list", {"subject": "user-1", "limit": 4})
        _, second = store(
            "grants/list", {"subject": "user-1", "limit": 4, "cursor": first["cursor"]}
        )
        assert (len(first["grants"]), len(second["grants"]), "cursor" in second) == (4, 2, False)
        stamps = [grant["createdAt"] for grant in first["grants"] + second["grants"]]
        assert stamps == sorted(stamps, reverse=True)
        _, revoked = store("grants/list", {"subject": "user-1", "status": "revoked"})
        assert [grant["grantId"] for grant in revoked["grants"]] == [dead.grant_id]
        assert len(store("grants/list", {"clientIdentifier": "app-1"})[1]["grants"]) == 7
        assert store("grants/list", {"subject": "nobody"})[1]["grants"] == []
        assert store("grants/list")[0] == 400
        assert store("grants/list", {"subject": "user-1", "cursor": "x"})[0] == 400
        key = "00000000-0000-7000-8000-000000000000"
        for at, status in (
            ("0001-01-01T00:00:00+23:59", 400),
            ("9999-12-31T23:59:59-23:59", 400),
            ("2026-01-01", 200),
        ):
            assert store("grants/list", {"subject": "user-1", "cursor": f"{at}_{key}"})[0] == status
        assert store("grants/list", {"subject": "user-1", "status": "x"})[0] == 400

    @pytest.mark.parametrize("service_cut_off", [True, False])
    @pytest.mark.parametrize("client_cut_off", [True, False])
    def test_list_by_status_agrees_with_the_status(
        self, world, store, service_cut_off, client_cut_off
    ):
        middle = now() - timedelta(days=1)
        world.service.not_before = middle if service_cut_off else None
        world.client.not_before = middle if client_cut_off else None
        world.service.save()
        world.client.save()
        for created_at in (middle - timedelta(hours=1), middle, now()):
            for fields in (
                {},
                {"revoked_at": now()},
                {"expires_at": now()},
                {"pending": True},
                {"expires_at": now() + timedelta(days=1)},
            ):
                world.grant(created_at=created_at, **fields)
        seen = 0
        for status in ("active", "pending", "expired", "revoked", "cut_off"):
            _, page = store("grants/list", {"subject": "user-1", "status": status})
            assert {grant["status"] for grant in page["grants"]} <= {status}
            seen += len(page["grants"])
        assert seen == 15


class TestTokens:
    def test_create(self, world, store, call, granted):
        grant_id, made = granted
        assert (made["action"], made["tokenType"], made["subject"]) == ("OK", "Bearer", "user-1")
        assert (made["clientId"], made["clientIdentifier"]) == (world.client.pk, "app-1")
        assert made["properties"] == [{"key": "grant_id", "value": grant_id}]
        assert made["expiresIn"] == 3_600
        assert abs(made["expiresAt"] / 1_000 - now().timestamp() - 3_600) < 60
        answer = call(gmAction="QUERY", grantId=grant_id, accessToken=made["accessToken"])
        assert answer.action == "OK"

    def test_register(self, world, store):
        made = token(
            store, accessToken="a", refreshToken="r", accessTokenDuration=10, refreshTokenDuration=0
        )
        assert (made["accessToken"], made["refreshToken"], made["expiresIn"]) == ("a", "r", 10)
        assert token(store, accessToken="a")["action"] == "BAD_REQUEST"
        assert token(store, accessToken="b", refreshToken="r")["action"] == "BAD_REQUEST"
        assert AccessToken.objects.count() == 1

    def test_client_credentials(self, store):
        made = token(store, grantType="CLIENT_CREDENTIALS", subject=None)
        assert ("subject" in made, "refreshToken" in made) == (False, False)

    def test_bound(self, world, store):
        jkt, (_, thumbprint) = Key().jkt, certificate()
        made = token(store, dpopKeyThumbprint=jkt, certificateThumbprint=thumbprint)
        assert made["tokenType"] == "DPoP"
        row = AccessToken.objects.get()
        assert (row.jkt, row.x5t_s256) == (jkt, thumbprint)

    def test_refused(self, world, store):
        for members in (
            {"grantType": "X"},
            {"subject": None},
            {"grantId": "unknown"},
            {"clientIdentifier": "x"},
            {"clientId": 5},
            {"grantId": "a", "properties": [{"key": "grant_id", "value": "b"}]},
            {"properties": {}},
        ):
            assert token(store, **members)["action"] == "BAD_REQUEST", members
        for grant in (
            world.grant(revoked_at=now()),
            world.grant(subject="user-2"),
            world.grant(client=world.client_named("other")),
        ):
            assert token(store, grantId=grant.grant_id)["action"] == "FORBIDDEN"
        assert not AccessToken.objects.exists()

    def test_unreadable(self, store):
        for members in (
            {"scopes": "openid"},
            {"scopes": [1]},
            {"subject": 1},
            {"accessTokenDuration": -1},
            {"accessTokenDuration": "1"},
            {"dpopKeyThumbprint": "x"},
            {"subject": "x" * 256},
        ):
            status, answer = store(
                "auth/token/create",
                {"grantType": "PASSWORD", "clientIdentifier": "app-1"} | members,
            )
            assert (status, answer["resultCode"]) == (400, "A126202"), members

    def test_revoke(self, world, store, granted):
        _, made = granted
        access, refresh = made["accessToken"], made["refreshToken"]
        assert store("auth/token/revoke", {"accessTokenIdentifier": access})[1]["count"] == 1
        assert store("auth/token/revoke", {"accessTokenIdentifier": access})[1]["count"] == 0
        digest = hashlib.sha256(refresh.encode())
        assert (
            store("auth/token/revoke", {"refreshTokenIdentifier": digest.hexdigest()})[1]["count"]
            == 1
        )
        second = token(store)
        identifier = b64(hashlib.sha256(second["accessToken"].encode()).digest())
        assert store("auth/token/revoke", {"accessTokenIdentifier": identifier})[1]["count"] == 1
        token(store)
        assert (
            store("auth/token/revoke", {"clientIdentifier": "app-1", "subject": "user-2"})[1][
                "count"
            ]
            == 0
        )
        assert (
            store("auth/token/revoke", {"subject": "user-1", "clientIdentifier": "app-1"})[1][
                "count"
            ]
            == 3
        )
        assert store("auth/token/revoke")[0] == 400
        assert Grant.objects.get().revoked_at is None


class TestRefresh:
    def test_rotation_and_reuse(self, store, granted):
        _, first = granted
        who = {"clientIdentifier": "app-1"}
        status, second = store("tokens/refresh", who | {"refreshToken": first["refreshToken"]})
        assert (status, second["action"]) == (200, "OK")
        assert second["refreshToken"] != first["refreshToken"]
        status, reused = store("tokens/refresh", who | {"refreshToken": first["refreshToken"]})
        assert (status, reused["resultCode"]) == (400, "A291301")
        status, _ = store("tokens/refresh", who | {"refreshToken": second["refreshToken"]})
        assert status == 400

    @pytest.mark.parametrize("with_grant", [True, False])
    def test_a_dead_one_that_comes_again_and_again(self, world, store, with_grant):
        """The first time tells of a theft; of fifty there is one event."""
        grant = {"grantId": world.grant().grant_id} if with_grant else {}
        who = {"clientIdentifier": "app-1"}
        made = {"grantType": "PASSWORD", "subject": "user-1", "scopes": ["read"]}
        _, first = store("auth/token/create", made | who | grant)
        old = who | {"refreshToken": first["refreshToken"]}
        _, second = store("tokens/refresh", old)
        for number in range(50):
            assert store("tokens/refresh", old, key=f"k-{number % 7}")[0] == 400
        assert store("tokens/refresh", who | {"refreshToken": second["refreshToken"]})[0] == 400
        event = GrantEvent.objects.get()
        assert (event.kind, event.client_id, event.subject) == ("refresh_reused", "app-1", "user-1")

    def test_reuse_kills_also_with_an_idempotency_key(self, store, granted):
        _, first = granted
        members = {"clientIdentifier": "app-1", "refreshToken": first["refreshToken"]}
        _, second = store("tokens/refresh", members, key="one")
        assert store("tokens/refresh", members, key="two")[0] == 400
        assert store("tokens/refresh", members | {"refreshToken": second["refreshToken"]})[0] == 400

    def test_of_another_client(self, world, store, granted):
        world.client_named("other")
        members = {"clientIdentifier": "other", "refreshToken": granted[1]["refreshToken"]}
        assert store("tokens/refresh", members)[1]["resultCode"] == "A291301"
        assert store("tokens/refresh", members | {"clientIdentifier": "app-1"})[0] == 200

    def test_bound(self, world, store):
        """By the key that it is bound to; a token request has no `ath`."""
        key, url = Key(), "https://as.example.com/token"
        world.service.dpop_nonce_required = True
        world.service.save()
        made = token(store, dpopKeyThumbprint=key.jkt)
        members = {"clientIdentifier": "app-1", "refreshToken": made["refreshToken"], "htu": url}

        def refresh(**claims):
            proof = key.proof("", htu=url, htm="POST", without=["ath"], **claims)
            return store("tokens/refresh", members | {"dpop": proof})[1]

        assert store("tokens/refresh", members)[1]["resultCode"] == "A281305"
        challenged = refresh()
        assert (challenged["action"], challenged["resultCode"]) == ("UNAUTHORIZED", "A281309")
        assert "use_dpop_nonce" in challenged["responseContent"]
        answer = refresh(nonce=challenged["dpopNonce"])
        assert (answer["action"], answer["tokenType"]) == ("OK", "DPoP")
        assert AccessToken.objects.filter(jkt=key.jkt).count() == 2


class TestIntrospection:
    """Authlete's: whether a request to a resource may go on."""

    def ask(self, store, **members):
        status, answer = store("auth/introspection", members)
        assert status == 200
        return answer

    def test_ok(self, world, store, granted):
        grant_id, made = granted
        answer = self.ask(
            store, token=made["accessToken"], scopes=["grant_management_query"], subject="user-1"
        )
        assert answer["action"] == "OK"
        assert (
            answer["existent"],
            answer["usable"],
            answer["sufficient"],
            answer["refreshable"],
        ) == (True,) * 4
        assert (answer["clientId"], answer["subject"], answer["grantId"]) == (
            world.client.pk,
            "user-1",
            grant_id,
        )
        assert answer["grant"] == {"scopes": [{"scope": "openid"}]}

    def test_refused(self, world, store, granted):
        grant_id, made = granted
        value = made["accessToken"]
        assert self.ask(store)["action"] == "BAD_REQUEST"
        unknown = self.ask(store, token="x")
        assert (unknown["action"], unknown["existent"]) == ("UNAUTHORIZED", False)
        scope = self.ask(store, token=value, scopes=["x"])
        assert (scope["action"], scope["usable"], scope["sufficient"]) == ("FORBIDDEN", True, False)
        assert 'scope="x"' in scope["responseContent"]
        store(f"grants/{grant_id}/revoke")
        dead = self.ask(store, token=value)
        assert (dead["action"], dead["existent"], dead["usable"]) == ("UNAUTHORIZED", True, False)

    def test_bound(self, world, store):
        key, url = Key(), "https://rs.example.com/api"
        value = token(store, dpopKeyThumbprint=key.jkt)["accessToken"]
        assert self.ask(store, token=value)["action"] == "UNAUTHORIZED"
        proof = key.proof(value, htu=url, htm="POST")
        assert self.ask(store, token=value, dpop=proof)["action"] == "BAD_REQUEST"
        asked = {"token": value, "htm": "POST", "htu": url}
        challenged = self.ask(store, **asked, dpop=proof, dpopNonceRequired=True)
        assert challenged["action"] == "UNAUTHORIZED"
        assert self.ask(store, **asked, dpop=proof)["action"] == "OK"
        fresh = key.proof(value, htu=url, htm="POST", nonce=challenged["dpopNonce"])
        assert self.ask(store, **asked, dpop=fresh, dpopNonceRequired=True)["action"] == "OK"


def test_token_of_other_subject(store, granted):
    asked = {"token": granted[1]["accessToken"], "subject": "user-2"}
    _, answer = store("auth/introspection", asked)
    assert (answer["action"], answer["resultCode"]) == ("FORBIDDEN", "A291302")


class TestStandards:
    """RFC 7662 and RFC 7009: a form in, JSON out."""

    @pytest.fixture
    def form(self, world):
        def send(path, body):
            headers = {"Authorization": f"Bearer {world.api_token}"}
            url = f"/api/{world.service.pk}/{path}"
            response = HTTP().post(
                url, body, content_type="application/x-www-form-urlencoded", headers=headers
            )
            return response.status_code, response.json()

        return send

    def test_introspection(self, world, form, granted):
        grant_id, made = granted
        status, access = form("introspect", f"token={made['accessToken']}")
        assert status == 200
        assert {
            name: access[name] for name in ("active", "client_id", "sub", "grant_id", "token_type")
        } == {
            "active": True,
            "client_id": "app-1",
            "sub": "user-1",
            "grant_id": grant_id,
            "token_type": "Bearer",
        }
        assert access["scope"] == BOTH
        _, refresh = form(
            "introspect", f"token={made['refreshToken']}&token_type_hint=refresh_token"
        )
        assert (refresh["active"], refresh["grant_id"]) == (True, grant_id)
        assert form("introspect", "token=unknown") == (200, {"active": False})
        assert form("introspect", "x=1")[0] == 400

    def test_binding(self, world, form):
        jkt, (_, thumbprint) = Key().jkt, certificate()
        value = world.token(jkt=jkt, x5t_s256=thumbprint)
        assert form("introspect", f"token={value}")[1]["cnf"] == {
            "jkt": jkt,
            "x5t#S256": thumbprint,
        }

    def test_revocation(self, world, form, granted):
        """The grant lives: item 34 of the draft."""
        _, made = granted
        assert form("revoke", f"token={made['accessToken']}&token_type_hint=refresh_token") == (
            200,
            {},
        )
        assert form("introspect", f"token={made['accessToken']}")[1] == {"active": False}
        assert form("introspect", f"token={made['refreshToken']}")[1]["active"] is True
        assert form("revoke", f"token={made['refreshToken']}") == (200, {})
        assert form("introspect", f"token={made['refreshToken']}")[1] == {"active": False}
        assert form("revoke", "token=unknown") == (200, {})
        assert Grant.objects.get().revoked_at is None


class TestClients:
    def test_save(self, world, store):
        _, made = store("clients", {"clientIdentifier": "new", "clientId": 77, "name": "New"})
        assert (made["clientId"], made["name"], made["locked"]) == (77, "New", False)
        _, locked = store("clients", {"clientIdentifier": "new", "locked": True})
        assert (locked["name"], locked["locked"]) == ("New", True)
        assert Client.objects.get(pk=77).locked_at is not None
        assert store("clients", {"clientIdentifier": "new", "locked": False})[1]["locked"] is False

    def test_refused(self, world, store):
        other = make_world(world.service.organization)
        for members in (
            {"clientIdentifier": "app-1", "clientId": 5},
            {"clientIdentifier": "x", "clientId": other.client.pk},
        ):
            assert store("clients", members)[1]["resultCode"] == "A291201"
        assert not GrantEvent.objects.exists()

    def test_a_number_tells_nothing_of_others(self, world, store):
        """Another tenant's number, one of the same tenant's, and another one of its own: the same
        answer to each, and nothing is made.
        """
        other, mine = make_world(), world.client_named("mine")
        said = [
            store("clients", members)
            for members in (
                {"clientIdentifier": "x", "clientId": other.client.pk},
                {"clientIdentifier": "x", "clientId": mine.pk},
                {"clientIdentifier": "app-1", "clientId": 5},
            )
        ]
        assert said[0] == said[1] == said[2]
        assert Client.objects.filter(client_id="x").count() == 0
        other.client.refresh_from_db()
        assert other.client.client_id == "app-1"

    def test_one_event_for_all_that_changes(self, world, store):
        members = {"clientIdentifier": "app-1", "name": "Other", "locked": True}
        for _ in range(2):
            store("clients", members)
        event = GrantEvent.objects.get()
        assert (event.kind, event.actor_kind) == ("client_locked", "api_token")
        told = {name: event.details[name] for name in ("number", "before", "after")}
        assert told == {
            "number": world.client.pk,
            "before": {"name": "Budget App", "locked": False},
            "after": {"name": "Other", "locked": True},
        }
        assert store("clients", {"name": "x"})[0] == 400


store_done = store_refused = None  # in the tests of each operation


def test_store_client_unknown(store):
    status, answer = store("grants", {"clientIdentifier": "x", "subject": "y"})
    assert (status, answer["resultCode"], answer["action"]) == (400, "A291202", "CALLER_ERROR")


def test_store_grant_unknown(world, store):
    other = make_world(world.service.organization)
    for grant_id in ("x", other.grant().grant_id, "%00"):
        for operation in ("get", "merge", "replace", "revoke"):
            status, answer = store(f"grants/{grant_id}/{operation}")
            assert (status, answer["resultCode"]) == (404, "A291203")


def test_store_refresh_refused(store):
    status, answer = store("tokens/refresh", {"clientIdentifier": "app-1", "refreshToken": "x"})
    assert (status, answer["resultCode"]) == (400, "A291301")


def test_store_scope_refused(store, granted):
    """RFC 6749 §5.2 and §6: more than was granted is invalid_scope; less narrows the access token
    alone, and kills nothing.
    """
    first = granted[1]["refreshToken"]
    members = {"clientIdentifier": "app-1", "refreshToken": first}
    status, answer = store("tokens/refresh", members | {"scopes": ["admin"]})
    assert (status, answer["resultCode"]) == (400, "A291303")
    assert 'error="invalid_scope"' in answer["responseContent"]
    status, narrowed = store("tokens/refresh", members | {"scopes": ["grant_management_query"]})
    assert (status, narrowed["scopes"]) == (200, ["grant_management_query"])
    members["refreshToken"] = narrowed["refreshToken"]
    _, whole = store("tokens/refresh", members)
    assert whole["scopes"] == BOTH.split()


class TestIdempotency:
    MEMBERS = {"clientIdentifier": "app-1", "subject": "user-1"}

    def test_same_answer_again(self, store):
        first = store("grants", self.MEMBERS, key="k")
        assert store("grants", self.MEMBERS, key="k") == first
        assert store("grants", self.MEMBERS, key="other") != first
        assert Grant.objects.count() == 2

    def test_without_its_credentials(self, store):
        members = self.MEMBERS | {"grantType": "PASSWORD"}
        _, first = store("auth/token/create", members, key="k")
        _, again = store("auth/token/create", members, key="k")
        assert "accessToken" not in again
        assert "refreshToken" not in again
        assert again["tokenId"] == first["tokenId"]
        held = IdempotencyKey.objects.get()
        assert first["accessToken"] not in held.answer
        assert bytes(held.digest) != b"k"

    def test_belongs_to_an_api_token(self, world, store):
        first = store("grants", self.MEMBERS, key="k")
        other = store("grants", self.MEMBERS, key="k", api_token=organization_token(world))
        assert first != other

    def test_refusals_are_not_kept(self, world, store):
        members = self.MEMBERS | {"clientIdentifier": "later"}
        assert store("grants", members, key="k")[0] == 400
        world.client_named("later")
        assert store("grants", members, key="k")[0] == 200

    def test_is_over_after_a_day(self, store):
        first = store("grants", self.MEMBERS, key="k")
        IdempotencyKey.objects.update(expires_at=now())
        assert store("grants", self.MEMBERS, key="k") != first


def test_store_key_reused(store):
    members = TestIdempotency.MEMBERS
    assert store("grants", members, key="k")[0] == 200
    for path, other in (("grants", members | {"subject": "user-2"}), ("clients", members)):
        status, answer = store(path, other, key="k")
        assert (status, answer["resultCode"]) == (409, "A291204")


def test_tenants(world, store):
    """A neighbour's API token, client, grant and tokens are nothing here."""
    other = make_world(world.service.organization)
    theirs = other.grant()
    other.refresh_token(theirs, value="theirs")
    assert store("grants/list", {"subject": "user-1"}, to=other)[0] == 403
    assert (
        store("grants", {"clientId": other.client.pk, "subject": "x"})[1]["resultCode"] == "A291202"
    )
    assert store("grants/list", {"subject": "user-1"})[1]["grants"] == []
    assert store("auth/token/revoke", {"refreshTokenIdentifier": "theirs"})[1]["count"] == 0
    assert (
        store("tokens/refresh", {"clientIdentifier": "app-1", "refreshToken": "theirs"})[0] == 400
    )
    assert store("auth/introspection", {"token": "theirs"})[1]["existent"] is False
    assert RefreshToken.objects.get().revoked_at is None


class TestAListIsBounded:
    """However many grants a client has: a page looks at so many, and says where it stopped."""

    def test_of_one_status(self, world, store, monkeypatch):
        monkeypatch.setattr("grant_management.api.store.grants.WINDOW", 4)
        revoked = world.grant(revoked_at=now(), created_at=now() - timedelta(days=1))
        for _ in range(10):
            world.grant()
        asked = {"clientIdentifier": "app-1", "status": "revoked"}
        pages, cursor = [], {}
        while cursor is not None:
            _, answer = store("grants/list", asked | cursor)
            pages.append([grant["grantId"] for grant in answer["grants"]])
            cursor = {"cursor": answer["cursor"]} if "cursor" in answer else None
        assert pages == [[], [], [revoked.grant_id]]

    def test_every_grant_once(self, world, store):
        at = now()
        made = {world.grant(created_at=at).grant_id for _ in range(7)}
        made |= {world.grant(created_at=at - timedelta(seconds=n)).grant_id for n in range(7)}
        for asked in ({}, {"status": "active"}):
            seen, cursor = [], {}
            while cursor is not None:
                members = {"clientIdentifier": "app-1", "limit": 3}
                _, answer = store("grants/list", members | asked | cursor)
                seen += [grant["grantId"] for grant in answer["grants"]]
                cursor = {"cursor": answer["cursor"]} if "cursor" in answer else None
            assert len(seen) == 14
            assert set(seen) == made


def test_an_answer_that_is_a_refusal_is_not_remembered(world, store):
    """Also where it comes at 200, with an action: the same call can be sent again."""
    world.client.lock(BY_TEST, Reason("other"))
    members = {"grantType": "CLIENT_CREDENTIALS", "clientIdentifier": "app-1"}
    assert store("auth/token/create", members, key="k")[1]["action"] == "FORBIDDEN"
    assert not IdempotencyKey.objects.exists()
    world.client.unlock(BY_TEST, Reason("other"))
    assert store("auth/token/create", members, key="k")[1]["action"] == "OK"
