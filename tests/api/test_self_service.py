"""Self-service for hosts that are not in Django: tokens, a person's own grants, and CORS."""

import json
from datetime import timedelta

import pytest
from django.test import Client as HTTP

from grant_management.models import ApiToken, Description, GrantEvent, Reason, SelfServiceToken
from grant_management.models.purge import purge_all

from ..world import BY_TEST, later, make_world, now

APP = "https://app.example.com"


@pytest.fixture
def issue(world, http):
    ApiToken.objects.filter(service=world.service).update(can_issue_self_service=True)

    def send(of=world, **members):
        path = f"/api/{of.service.pk}/self_service/token"
        return http(path, {"subject": "user-1"} | members, of.api_token)

    return send


@pytest.fixture
def me(world, issue):
    """A call of a person's web page: the response."""

    def send(path="", method="get", token=None, of=world, **headers):
        token = issue(access="revoke")["token"] if token is None else token
        if token:
            headers["Authorization"] = f"Bearer {token}"
        url = f"/self/{of.service.pk}/grants{path}"
        return getattr(HTTP(), method)(url, headers=headers)

    return send


@pytest.fixture
def origins(world):
    world.service.self_service_origins = [APP]
    world.service.save()


def code(response):
    return response.status_code, json.loads(response.content)["resultCode"]


def test_self_service_token_invalid(me, world, issue):
    value = issue()["token"]
    for wrong in ("", "x", value + "x", world.api_token, value.upper()):
        response = me(token=wrong)
        assert code(response) == (401, "A295301")
        assert response["WWW-Authenticate"] == "Bearer"
    assert me(token=value).status_code == 200


def test_self_service_views_alone(me, issue, world):
    grant, value = world.grant(), issue(access="view")["token"]
    assert me(f"/{grant.grant_id}", token=value).status_code == 200
    assert code(me(f"/{grant.grant_id}", "delete", token=value)) == (403, "A295302")
    grant.refresh_from_db()
    assert grant.revoked_at is None


@pytest.mark.usefixtures("origins")
@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example.com.evil.example",
        "https://evil.example",
        "http://app.example.com",
        "https://APP.example.com",
        "https://app.example.com:443",
        "https://app.example.com/",
        "null",
        "*",
        "",
    ],
)
def test_origin_not_allowed(me, world, origin):
    grant = world.grant()
    for method in ("get", "delete", "options"):
        response = me(f"/{grant.grant_id}", method, Origin=origin)
        assert code(response) == (403, "A295303")
        assert "Access-Control-Allow-Origin" not in response
        assert response["Vary"] == "Origin"
    grant.refresh_from_db()
    assert grant.revoked_at is None


@pytest.mark.parametrize("method", ["get", "delete"])
def test_self_service_grant_unknown(me, world, method):
    """Of another person, service or deleted client, of nobody, and one that is pending."""
    sibling = make_world(world.service.organization)
    gone = world.client_named("gone")
    hidden = [
        world.grant(subject="user-2"),
        world.grant(subject="user-1 "),
        world.grant(subject=None),
        world.grant(pending=True),
        sibling.grant(),
        make_world().grant(),
        world.grant(client=gone),
    ]
    gone.hide(BY_TEST, Reason(""))
    for path in [grant.grant_id for grant in hidden] + ["unknown", "%00", "a%20b"]:
        assert code(me(f"/{path}", method)) == (404, "A295304")
    assert json.loads(me().content) == {"grants": []}
    for grant in hidden:
        grant.refresh_from_db()
        assert grant.revoked_at is None


class TestIssuing:
    def test_a_token(self, issue):
        answer = issue(expiresIn=900, access="revoke")
        assert len(answer["token"]) > 43
        assert (answer["expiresIn"], answer["access"]) == (900, "revoke")
        row = SelfServiceToken.objects.get()
        assert answer["token"] not in str(vars(row))
        assert row.expires_at - row.issued_at == timedelta(seconds=900)

    def test_the_least_where_nothing_is_asked(self, issue):
        answer = issue()
        assert (answer["expiresIn"], answer["access"]) == (300, "view")

    @pytest.mark.parametrize(
        "members", [{"subject": None}, {"expiresIn": 901}, {"expiresIn": 0}, {"access": "all"}]
    )
    def test_what_is_refused(self, issue, members):
        assert issue(**members).status == 400
        assert not SelfServiceToken.objects.exists()

    def test_the_right_is_needed(self, issue):
        ApiToken.objects.update(can_issue_self_service=False)
        assert (issue().status, issue()["resultCode"]) == (403, "A292302")

    def test_of_a_neighbour(self, issue, world, http):
        other = make_world()
        path = f"/api/{other.service.pk}/self_service/token"
        assert http(path, {"subject": "u"}, world.api_token)["resultCode"] == "A458201"


class TestTheToken:
    def test_it_is_sent_in_the_header_alone(self, me, issue):
        value = issue()["token"]
        assert me(f"?access_token={value}", token="").status_code == 401

    def test_it_expires(self, me, issue):
        value = issue(expiresIn=60)["token"]
        assert later(lambda: SelfServiceToken.objects.get().expires_at) > now()
        SelfServiceToken.objects.update(expires_at=now())
        assert code(me(token=value)) == (401, "A295301")

    @pytest.mark.parametrize(
        "change", [{"revoked_at": now()}, {"expires_at": now()}, {"can_issue_self_service": False}]
    )
    def test_it_dies_with_what_issued_it(self, me, issue, change):
        value = issue()["token"]
        ApiToken.objects.update(**change)
        assert code(me(token=value)) == (401, "A295301")

    def test_a_cut_off_of_the_service_ends_it(self, me, issue, world):
        value = issue()["token"]
        world.service.move_cut_off(BY_TEST, Reason(""))
        assert code(me(token=value)) == (401, "A295301")
        assert me(token=issue()["token"]).status_code == 200

    def test_a_deleted_service_is_none(self, me, issue, world):
        value = issue()["token"]
        world.service.hide(BY_TEST, Reason(""))
        assert me(token=value).status_code == 404

    def test_it_opens_nothing_else(self, me, issue, world, post):
        value = issue(access="revoke")["token"]
        for path in ("auth/gm", "grants/list", "self_service/token"):
            answer = post(f"/api/{world.service.pk}/{path}", {}, api_token=value)
            assert answer.code == "A458101"

    def test_it_is_of_one_service(self, me, issue, world):
        sibling = make_world(world.service.organization)
        sibling.grant()
        assert code(me(token=issue()["token"], of=sibling)) == (401, "A295301")

    def test_a_purge_deletes_it(self, issue):
        issue()
        list(purge_all(100))
        assert SelfServiceToken.objects.count() == 1
        SelfServiceToken.objects.update(expires_at=now() - timedelta(minutes=1))
        assert dict(purge_all(100)).get("selfservicetoken") == 1
        assert not SelfServiceToken.objects.exists()


class TestGrants:
    def test_in_plain_words(self, me, world):
        texts = [
            {"language": "en", "name": "Accounts", "sentence": "See them."},
            {"language": "de", "name": "Konten"},
        ]
        Description.objects.put(world.service, "scope", "openid", BY_TEST, texts=texts)
        grant = world.grant(last_used_at=now())
        for header, name in (("en", "Accounts"), ("fr, de-AT;q=0.5", "Konten"), ("fr", "Accounts")):
            (shown,) = json.loads(me(**{"Accept-Language": header}).content)["grants"]
            assert shown["permissions"][0]["name"] == name
        assert shown["permissions"][0]["sentence"] == "See them."
        assert shown["client"] == {"clientIdentifier": "app-1", "name": "Budget App"}
        assert (shown["status"], shown["locked"]) == ("active", False)
        assert {"createdAt", "lastUsedAt"} <= shown.keys()
        assert json.loads(me(f"/{grant.grant_id}").content)["scopes"] == [{"scope": "openid"}]

    def test_page_by_page(self, me, world):
        grants = [world.grant(created_at=now() - timedelta(days=n + 1)) for n in range(5)]
        found, query = [], "?limit=2"
        while query:
            page = json.loads(me(query).content)
            found += [one["grantId"] for one in page["grants"]]
            query = (
                f"?limit=2&cursor={page['cursor']}".replace("+", "%2B") if "cursor" in page else ""
            )
        assert found == [grant.grant_id for grant in grants]

    @pytest.mark.parametrize("query", ["?limit=x", "?limit=0", "?cursor=x", "?status=x", "?%ff"])
    def test_what_is_refused(self, me, query):
        assert me(query).status_code == 400

    def test_what_was_stopped_shows_as_such(self, me, world):
        world.grant(grant_id="revoked", revoked_at=now())
        world.grant(grant_id="expired", expires_at=now() - timedelta(minutes=1))
        old = world.client_named("old", not_before=now())
        world.grant(grant_id="cut-off", client=old)
        world.grant(grant_id="locked", client=world.client_named("l", locked_at=now()))
        shown = {one["grantId"]: one for one in json.loads(me().content)["grants"]}
        states = {name: (one["status"], one["locked"]) for name, one in shown.items()}
        assert states == {
            "revoked": ("revoked", False),
            "expired": ("expired", False),
            "cut-off": ("cut_off", False),
            "locked": ("active", True),
        }

    def test_revoke(self, me, world):
        grant, other = world.grant(), world.grant()
        token = world.token(grant)
        for _ in range(2):
            assert me(f"/{grant.grant_id}", "delete").status_code == 204
        event = GrantEvent.objects.get()
        assert (event.actor_kind, event.actor, event.grant_id) == (
            "subject",
            "user-1",
            grant.grant_id,
        )
        assert json.loads(me(f"/{grant.grant_id}").content)["status"] == "revoked"
        assert json.loads(me(f"/{other.grant_id}").content)["status"] == "active"
        assert token

    def test_the_cost_does_not_grow(self, me, issue, world, django_assert_num_queries):
        value = issue()["token"]
        for number in range(20):
            world.grant(client=world.client_named(f"c-{number}"))
        with django_assert_num_queries(6):
            assert len(json.loads(me(token=value).content)["grants"]) == 20


@pytest.mark.usefixtures("origins")
class TestOrigins:
    def test_an_allowed_origin(self, me, world):
        response = me(Origin=APP)
        assert response["Access-Control-Allow-Origin"] == APP
        assert response["Vary"] == "Origin"
        assert response["Cache-Control"] == "no-store"
        assert "Access-Control-Allow-Credentials" not in response

    def test_a_refusal_can_be_read(self, me):
        response = me(token="x", Origin=APP)
        assert code(response) == (401, "A295301")
        assert response["Access-Control-Allow-Origin"] == APP

    def test_a_caller_that_is_no_browser(self, me):
        response = me()
        assert response.status_code == 200
        assert "Access-Control-Allow-Origin" not in response
        assert response["Vary"] == "Origin"

    def test_preflight(self, me):
        """Without a token, as browsers send it."""
        asked = {"Origin": APP, "Access-Control-Request-Method": "DELETE"}
        response = me("/x", "options", token="", **asked)
        assert (response.status_code, response.content) == (204, b"")
        assert response["Access-Control-Allow-Origin"] == APP
        assert response["Access-Control-Allow-Methods"] == "GET, HEAD, DELETE"
        assert response["Access-Control-Allow-Headers"] == "Authorization"
        assert me("", "options", token="", **asked)["Access-Control-Allow-Methods"] == "GET, HEAD"

    def test_options_that_asks_nothing(self, me):
        assert code(me("", "options", Origin=APP)) == (405, "A001205")

    def test_the_api_itself_is_shared_with_nobody(self, issue, world, http):
        response = HTTP().options(
            f"/api/{world.service.pk}/grants/list",
            headers={"Origin": APP, "Access-Control-Request-Method": "POST"},
        )
        assert response.status_code == 405
        assert "Access-Control-Allow-Origin" not in response

    def test_another_services_origin(self, me, issue, world):
        sibling = make_world(world.service.organization, self_service_origins=["https://b.example"])
        assert sibling
        assert code(me(Origin="https://b.example")) == (403, "A295303")


def test_no_such_service(me, issue):
    value = issue()["token"]
    for number in ("0", "9" * 19):
        response = HTTP().get(
            f"/self/{number}/grants", headers={"Authorization": f"Bearer {value}"}
        )
        assert code(response) == (404, "A001208")


def test_a_body_is_refused(me, issue, world):
    value, grant = issue(access="revoke")["token"], world.grant()
    path = f"/self/{world.service.pk}/grants/{grant.grant_id}"
    headers = {"Authorization": f"Bearer {value}"}
    assert HTTP().delete(path, "x", headers=headers).status_code == 400
    grant.refresh_from_db()
    assert grant.revoked_at is None


def test_throttled(me, issue, settings):
    value = issue()["token"]
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | {"THROTTLE_RATE": "2/m"}
    assert [me(token=value).status_code for _ in range(3)] == [200, 200, 429]
