"""Whatever is stored can be shown, merged, exported, imported elsewhere and revoked; and what was
stored before there were limits can be shown and revoked.
"""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.test import Client as HTTP
from django.urls import reverse

from grant_management.fields.members import MAX_GENERATION
from grant_management.interchange.exporter import records
from grant_management.models import AccessToken, Grant, GrantEvent, RefreshToken, Service
from grant_management.protocol import strict_json
from grant_management.protocol.digests import sha256

from ..world import make_world, now

MAX_INTEGER = 2**31 - 1


def send(world, path, **members):
    """Members are JSON texts."""
    body = "{" + ",".join(f'"{name}":{text}' for name, text in members.items()) + "}"
    headers = {"Authorization": f"Bearer {world.api_token}"}
    response = HTTP(raise_request_exception=False).post(
        f"/api/{world.service.pk}/{path}",
        body.encode(),
        content_type="application/json",
        headers=headers,
    )
    assert response["Content-Type"] == "application/json"
    return response.status_code, strict_json.stored(response.content.decode())


def gm(world, action, grant_id, value):
    call = {"gmAction": action, "grantId": grant_id, "accessToken": value}
    status, answer = send(world, "gm", **{name: json.dumps(it) for name, it in call.items()})
    assert status == 200
    return answer


OWNED = ("client", "grant", "access_token", "refresh_token")


def owned(world):
    """The records of a service, without what is another number elsewhere."""
    found = [strict_json.stored(line) for line in records(world.service)]
    for one in found:
        del one["service" if one["type"] in OWNED else "id"]
        one.pop("id", None)
    return [one for one in found if one["type"] in OWNED]


def elsewhere(world, tmp_path):
    """Exported, and imported as another service's, where it is exported likewise."""
    other = make_world(name="Elsewhere")
    other.client.delete()
    lines = [strict_json.dumps(one | {"service": other.service.pk}) for one in owned(world)]
    path = tmp_path / "export.jsonl"
    path.write_text("\n".join(lines) + "\n")
    call_command("import_grants", str(path), stdout=io.StringIO())
    assert list(map(strict_json.dumps, owned(other))) == list(map(strict_json.dumps, owned(world)))
    return other


def is_seen(admin_client, grant):
    page = admin_client.get(reverse("admin:grant_management_grant_change", args=[grant.pk]))
    listed = admin_client.get(
        reverse("admin:grant_management_grant_changelist"), {"q": grant.grant_id}
    )
    assert (page.status_code, listed.status_code) == (200, 200)
    return page


def live(world, admin_client, tmp_path, grant_id, value):
    """A grant's whole life, with a token of it."""
    shown = gm(world, "QUERY", grant_id, value)
    assert shown["action"] == "OK"
    status, got = send(world, f"grants/{grant_id}/get")
    assert status == 200
    if "subject" in got:
        _, listed = send(world, "grants/list", subject=json.dumps(got["subject"]))
        assert [one["grantId"] for one in listed["grants"]] == [grant_id]
    is_seen(admin_client, Grant.objects.get(grant_id=grant_id, service=world.service))
    status, _ = send(world, f"grants/{grant_id}/merge", claims='["merged"]')
    assert status == 200
    other = elsewhere(world, tmp_path)
    kept = gm(world, "QUERY", grant_id, value)
    assert gm(other, "QUERY", grant_id, value) == kept
    assert gm(other, "REVOKE", grant_id, value)["action"] == "NO_CONTENT"
    client = Grant.objects.get(grant_id=grant_id, service=world.service).client
    call_command(
        "revoke_grants", service=world.service.pk, client=client.client_id, stdout=io.StringIO()
    )
    assert gm(world, "QUERY", grant_id, value)["resultCode"] == "A280303"
    return shown


def made(world, **members):
    """A grant with a token, through the store."""
    base = {"clientIdentifier": '"app-1"', "subject": '"user-1"'} | members
    status, grant = send(world, "grants", **base)
    assert status == 200, grant
    token = {name: base[name] for name in ("clientIdentifier", "subject")}
    token |= {"grantType": '"PASSWORD"', "grantId": json.dumps(grant["grantId"])}
    scopes = '["grant_management_query","grant_management_revoke"]'
    status, issued = send(world, "auth/token/create", scopes=scopes, **token)
    assert (status, issued["action"]) == (200, "OK")
    return grant["grantId"], issued["accessToken"]


DEEP = '{"a":' * 61 + "1" + "}" * 61
TAKEN = {
    "subject of 150 characters": {"subject": json.dumps("x" * 150)},
    "subject of 255 characters": {"subject": json.dumps("\u00fc" * 255)},
    "subject outside of ASCII": {"subject": '"j\\u00fcrgen"'},
    "subject of markup": {"subject": '"<b>\'\\"&amp; %00 ;=cmd"'},
    "subject of digits": {"subject": '"1e9999999999999999999"'},
    "expires at the end of time": {"expiresAt": "253402300799999"},
    "expires, as a real number": {"expiresAt": "1.9E12"},
    "numbers": {
        "authorizationDetails": '[{"type":"t","n":[1.10,1e400,-0,1E+2,1e9999,%s]}]' % ("9" * 1_100)
    },
    "deep": {"authorizationDetails": f'[{{"type":"t","a":{DEEP}}}]'},
    "strings": {
        "authorizationDetails": '[{"type":"\\u00e9<b>","s":"\\u0001\\u2028\\ud83d\\ude00"}]'
    },
    "long names": {
        "scopes": json.dumps([{"scope": "x" * 255, "resource": ["urn:" + "x" * 1_996]}]),
        "claims": json.dumps(["\u00e9" * 255]),
    },
    "type": {"authorizationDetails": json.dumps([{"type": "\U0001f600" * 255}])},
}


@pytest.mark.parametrize("members", TAKEN.values(), ids=TAKEN)
def test_what_the_store_takes_can_be_lived_with(world, admin_client, tmp_path, members):
    grant_id, value = made(world, **members)
    shown = live(world, admin_client, tmp_path, grant_id, value)
    if "authorizationDetails" in members:
        sent = strict_json.dumps(strict_json.stored(members["authorizationDetails"]))
        assert sent in shown["responseContent"]


REFUSED = {
    "exponent": {"authorizationDetails": '[{"type":"t","n":1e9999999999999999999}]'},
    "digits": {"authorizationDetails": '[{"type":"t","n":%s}]' % ("9" * 5_000)},
    "decimals": {"authorizationDetails": '[{"type":"t","n":0.%s1}]' % ("0" * 5_000)},
    "expiresAt with an exponent": {"expiresAt": "1e9999999999999999999"},
    "too deep": {"authorizationDetails": f'[{{"type":"t","a":{"[" * 62}{"]" * 62}}}]'},
    "seconds for milliseconds": {"expiresAt": "1900000000"},
    "scope of 256": {"scopes": json.dumps([{"scope": "x" * 256}])},
    "resource of 2001": {"scopes": json.dumps([{"scope": "x", "resource": ["u:" + "x" * 1_999]}])},
    "claim of 256": {"claims": json.dumps(["x" * 256])},
    "claim with a control character": {"claims": '["a\\u0001"]'},
    "claim of nothing": {"claims": '[""]'},
    "type of 256": {"authorizationDetails": json.dumps([{"type": "x" * 256}])},
    "type with a control character": {"authorizationDetails": '[{"type":"a\\n"}]'},
    "subject with a control character": {"subject": '"a\\u0001"'},
    "subject of 256": {"subject": json.dumps("x" * 256)},
}


@pytest.mark.parametrize("members", REFUSED.values(), ids=REFUSED)
def test_what_the_store_refuses_the_import_refuses(world, tmp_path, members):
    """And a merge and a replace; with a reason, and nothing is written."""
    grant = world.grant()
    before = Grant.objects.values_list(), GrantEvent.objects.count()
    base = {"clientIdentifier": '"app-1"', "subject": '"user-1"'}
    answers = [send(world, "grants", **base | members)]
    if "subject" not in members:
        answers += [
            send(world, f"grants/{grant.grant_id}/{action}", **members)
            for action in ("merge", "replace")
        ]
    for status, answer in answers:
        assert (status, answer["resultCode"]) == (400, "A126202")
        name = next(iter(members))
        assert (
            f"'{name}' must be" in answer["resultMessage"]
            or "strict JSON: " in answer["resultMessage"]
        )
    assert (Grant.objects.values_list(), GrantEvent.objects.count())[1] == before[1]
    assert Grant.objects.count() == 1
    if "expiresAt" not in members:
        names = {"authorizationDetails": "authorization_details"}
        record = {"type": '"grant"', "service": str(world.service.pk), "client_id": '"app-1"'}
        record |= {"grant_id": '"g-1"'} | {names.get(one, one): it for one, it in members.items()}
        path = tmp_path / "bad.jsonl"
        path.write_text("{" + ",".join(f'"{one}":{it}' for one, it in record.items()) + "}\n")
        errors = io.StringIO()
        with pytest.raises(Exception, match="Nothing from line 1 on"):
            call_command("import_grants", str(path), stderr=errors)
        assert ":1: " in errors.getvalue()
    assert Grant.objects.count() == 1


def test_a_past_end_names_its_unit(world):
    """Seconds, sent for milliseconds, are a time of 1970."""
    soon = int((now() + timedelta(hours=1)).timestamp())
    base = {"clientIdentifier": '"app-1"', "subject": '"user-1"'}
    for path, members in (("grants", base), (f"grants/{world.grant().grant_id}/merge", {})):
        status, answer = send(world, path, **members, expiresAt=str(soon))
        assert status == 400
        assert "'expiresAt' must be a time in milliseconds since 1970" in answer["resultMessage"]
        assert send(world, path, **members, expiresAt=f"{soon}E3")[0] == 200


@pytest.mark.parametrize(
    "text", ["4000000000123", "4000000000123.0", "253402300799999", "4.000000000123e12"]
)
def test_no_millisecond_is_lost(world, tmp_path, text):
    """In by the store, out by the store, by an export and by another store."""
    grant_id, _ = made(world, expiresAt=text)
    sent = int(float(text))
    assert send(world, f"grants/{grant_id}/get")[1]["expiresAt"].text == str(sent)
    other = elsewhere(world, tmp_path)
    assert send(other, f"grants/{grant_id}/get")[1]["expiresAt"].text == str(sent)


@pytest.mark.parametrize("microsecond", [1, 123_456, 999_999])
@pytest.mark.parametrize("year", [1970, 2026, 2106, 2999, 9999])
def test_no_microsecond_is_lost_by_an_export(world, tmp_path, year, microsecond):
    at = datetime(year, 12, 31, 23, 59, 59, microsecond, UTC)
    grant = world.grant(expires_at=at)
    other = elsewhere(world, tmp_path)
    assert Grant.objects.get(service=other.service, grant_id=grant.grant_id).expires_at == at


def test_a_consent_is_claimed_whoever_the_subject_is(world):
    """What a grant takes for a subject its tokens take too."""
    for subject in ("x" * 150, "j\u00fcrgen", "\u2603 " * 100, "\U0001f600" * 255):
        made(world, subject=json.dumps(subject))


def test_the_same_by_every_door(world, tmp_path):
    """Sorted, and each thing once: by the store, the import and Python."""
    details = '[{"type":"t","n":1.0,"m":2},{"m":2.0,"n":10e-1,"type":"t"},{"type":"t","n":true}]'
    scopes = '[{"scope":"b a a","resource":["u:2","u:1","u:2"]},{"scope":"c"},{"scope":"c a"}]'
    grant_id, _ = made(world, scopes=scopes, claims='["b","a","b"]', authorizationDetails=details)
    one = Grant.objects.get(grant_id=grant_id)
    line = (
        f'{{"type":"grant","service":{world.service.pk},"client_id":"app-1","grant_id":"g-1",'
        f'"scopes":{scopes},"claims":["b","a","b"],"authorization_details":{details}}}'
    )
    token = (
        f'{{"type":"access_token","service":{world.service.pk},"client_id":"app-1","token":"t-1",'
        '"scopes":["b a","a","c"]}'
    )
    path = tmp_path / "records.jsonl"
    path.write_text(f"{line}\n{token}\n")
    call_command("import_grants", str(path), stdout=io.StringIO())
    other = Grant.objects.get(grant_id="g-1")
    for name in ("scopes", "claims", "authorization_details"):
        assert getattr(one, name) == getattr(other, name)
    assert one.authorization_details == '[{"type":"t","n":1.0,"m":2},{"type":"t","n":true}]'
    assert one.claims == '["a","b"]'
    send(
        world,
        "auth/token/create",
        clientIdentifier='"app-1"',
        grantType='"CLIENT_CREDENTIALS"',
        scopes='["c","b a","a"]',
        accessToken='"t-2"',
    )
    stored = {AccessToken.objects.get(digest=sha256(value)).scopes for value in ("t-1", "t-2")}
    assert stored == {"a b c"}


# What was stored before there were limits.


def legacy(world, **fields):
    grant = world.grant(**fields)
    return grant, world.token(grant)


HUGE = f'[{{"type":"t","n":1e9999999999999999999,"m":{"9" * 5_000}}},{{"type":"t","n":{"9" * 50_000}}}]'
LEGACY = {
    "numbers": {"authorization_details": HUGE},
    "long content": {"authorization_details": '[{"type":"t","s":"%s"}]' % ("x" * 1_000_000)},
    "long names": {
        "scopes": '[{"scope":"%s"}]' % ("x" * 1_000),
        "claims": json.dumps(["y" * 1_000]),
    },
    "many pairs": {
        "scopes": json.dumps(
            [{"scope": " ".join(map(str, range(300))), "resource": [f"u:{n}" for n in range(300)]}]
        )
    },
    "twice the same": {"authorization_details": '[{"type":"t"},{"type":"t"}]'},
    "subject": {"subject": "a\u0001b"},
    "last generation": {"access_generation": MAX_INTEGER, "refresh_generation": MAX_INTEGER},
    "before 1970": {"created_at": datetime(1900, 1, 1, tzinfo=UTC)},
}


@pytest.mark.parametrize("fields", LEGACY.values(), ids=LEGACY)
def test_what_was_stored_before_can_be_shown_and_revoked(world, admin_client, fields):
    generation = fields.get("access_generation", 0)
    grant = world.grant(**fields)
    value = world.token(grant, generation=generation)
    refresh = world.refresh_token(grant, generation=generation)
    shown = gm(world, "QUERY", grant.grant_id, value)
    assert shown["action"] == "OK"
    assert grant.authorization_details in shown["responseContent"]
    assert send(world, f"grants/{grant.grant_id}/get")[0] == 200
    is_seen(admin_client, grant)
    assert any(grant.grant_id in line for line in records(world.service))
    if "subject" in fields:
        call_command(
            "revoke_grants", service=world.service.pk, subject=grant.subject, stdout=io.StringIO()
        )
    else:
        assert send(world, f"grants/{grant.grant_id}/revoke")[1]["status"] == "revoked"
    assert gm(world, "QUERY", grant.grant_id, value)["resultCode"] == "A280303"
    assert RefreshToken.objects.presented(world.service, refresh).status(now()).name != "ACTIVE"


def test_a_merge_with_what_was_stored_before(world):
    """Its numbers are compared, however long they are; and the grant must fit from then on."""
    grant, _ = legacy(world, authorization_details=HUGE)
    same = '{"n":10e0,"type":"u"}'
    for _ in range(2):
        status, merged = send(
            world, f"grants/{grant.grant_id}/merge", authorizationDetails=f"[{same}]"
        )
        assert status == 200
        assert len(merged["authorizationDetails"]) == 3
    status, replaced = send(world, f"grants/{grant.grant_id}/replace", claims='["a"]')
    assert (status, "authorizationDetails" in replaced) == (200, False)


def test_too_much_can_be_replaced_by_less(world):
    fields = {"authorization_details": '[{"type":"t","s":"%s"}]' % ("x" * 1_000_000)}
    grant, _ = legacy(world, **fields)
    status, answer = send(world, f"grants/{grant.grant_id}/merge", claims='["a"]')
    assert (status, answer["resultCode"]) == (400, "A291201")
    assert "at most 262144 bytes" in answer["resultMessage"]
    assert send(world, f"grants/{grant.grant_id}/replace", claims='["a"]')[0] == 200


@pytest.mark.parametrize("action", ["merge", "replace", "revoke"])
def test_the_last_generation_is_followed_by_another(world, action):
    """On PostgreSQL one more than the last is no number of the column."""
    last = {"access_generation": MAX_INTEGER, "refresh_generation": MAX_INTEGER}
    grant = world.grant(**last)
    refresh = world.refresh_token(grant, generation=MAX_INTEGER)
    older = world.refresh_token(grant, generation=MAX_INTEGER - 1)
    assert send(world, f"grants/{grant.grant_id}/{action}")[0] == 200
    grant.refresh_from_db()
    assert grant.refresh_generation == MAX_GENERATION + 1
    for value in (refresh, older):
        assert RefreshToken.objects.presented(world.service, value).status(now()).name != "ACTIVE"


def test_reuse_at_the_last_generation(world):
    grant = world.grant(refresh_generation=MAX_INTEGER)
    value = world.refresh_token(grant, generation=MAX_INTEGER, rotated_at=now(), revoked_at=now())
    members = {"clientIdentifier": '"app-1"', "refreshToken": json.dumps(value)}
    assert send(world, "tokens/refresh", **members)[0] == 400
    grant.refresh_from_db()
    assert grant.refresh_generation == MAX_GENERATION + 1


@pytest.mark.parametrize("grant_id", [".", ".."])
def test_segments_of_dots(world, admin_client, tmp_path, grant_id):
    """No door takes one, for no URL leads to it; one that is there can be exported and revoked."""
    line = f'{{"type":"grant","service":{world.service.pk},"client_id":"app-1","grant_id":"{grant_id}"}}'
    path = tmp_path / "bad.jsonl"
    path.write_text(line + "\n")
    errors = io.StringIO()
    with pytest.raises(Exception, match="Nothing from line 1 on"):
        call_command("import_grants", str(path), stderr=errors)
    assert "'grant_id' must be 1 to 255 unreserved characters" in errors.getvalue()
    grant = world.grant(grant_id=grant_id)
    value = world.token(grant)
    assert gm(world, "QUERY", grant_id, value)["action"] == "OK"
    assert gm(world, "QUERY", grant_id, world.token())["action"] == "NOT_FOUND"
    assert any(f'"grant_id":"{grant_id}"' in one for one in records(world.service))
    is_seen(admin_client, grant)
    call_command("revoke_grants", service=world.service.pk, subject="user-1", stdout=io.StringIO())
    grant.refresh_from_db()
    assert grant.revoked_at is not None


def test_a_service_can_be_shown_with_what_it_has(world, admin_client):
    """Its name and realm were stored before control characters were refused."""
    Service.objects.filter(pk=world.service.pk).update(name="a\u0001b", realm="c\u0007d")
    url = reverse("admin:grant_management_service_change", args=[world.service.pk])
    assert admin_client.get(url).status_code == 200
    assert any('"name":"a\\u0001b"' in line for line in records(world.service))
