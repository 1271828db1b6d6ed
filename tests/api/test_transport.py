"""What is refused before it is processed, in the contract's order, always as JSON."""

import json
from pathlib import Path

import pytest
from django.test import Client as HTTP
from django.test import override_settings
from django.test.client import ClientHandler

from grant_management.api import gm
from grant_management.api.gm import SMALL
from grant_management.fields.reading import FORM
from grant_management.models import ApiToken
from grant_management.protocol.results import Refused, Result

from ..world import BY_TEST, make_world, now, organization_token


@pytest.fixture
def path(world):
    return f"/api/{world.service.pk}/auth/gm"


def check(answer, result):
    """The status, the code, and where it has one the challenge of a CALLER_ERROR."""
    assert (answer.status, answer.code) == (result.status, result.code)
    assert answer.action == result.action
    assert ("responseContent" in answer.body) == (result.action is not None)
    if result.action is not None:
        (scheme, parameters), *rest = answer.challenges.items()
        assert (scheme, parameters["error"], rest) == ("Bearer", result.error, [])


@pytest.mark.parametrize("value", [None, "", "  "])
def test_authorization_missing(post, path, value):
    headers = {} if value is None else {"HTTP_AUTHORIZATION": value}
    answer = post(path, {}, **headers)
    check(answer, Result.AUTHORIZATION_MISSING)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "value",
    [
        "Basic dTpw",
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Bearer a,b",
        "token",
        "Bearer \u00e9",
        "Bearer a\tb",
    ],
)
def test_authorization_malformed(post, path, value):
    check(post(path, {}, HTTP_AUTHORIZATION=value), Result.AUTHORIZATION_MALFORMED)


@pytest.mark.parametrize("stamp", ["expires_at", "revoked_at", None])
def test_api_token_invalid(post, path, world, stamp):
    if stamp:
        ApiToken.objects.update(**{stamp: now()})
    value = world.api_token if stamp else "unknown"
    answer = post(path, {}, api_token=value)
    check(answer, Result.API_TOKEN_INVALID)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_revoked_api_token_is_dead_at_the_next_request(post, path, world):
    assert post(path, {}, api_token=world.api_token).status == 200
    assert ApiToken.objects.get().revoke(BY_TEST)
    check(post(path, {}, api_token=world.api_token), Result.API_TOKEN_INVALID)


@pytest.mark.parametrize(
    "service_id", ["1", "9223372036854775807", "9223372036854775808", "9" * 19]
)
@pytest.mark.parametrize("of_organization", [False, True])
def test_service_not_allowed(post, world, service_id, of_organization):
    """Another's service and none at all look the same."""
    value = organization_token(world) if of_organization else world.api_token
    other = make_world()
    foreign = post(f"/api/{other.service.pk}/gm", {}, api_token=value)
    missing = post(f"/api/{service_id}/gm", {}, api_token=value)
    check(missing, Result.SERVICE_NOT_ALLOWED)
    assert (foreign.status, foreign.body) == (missing.status, missing.body)


def test_organization_token_opens_every_service_of_its_own(post, world):
    value = organization_token(world)
    second = make_world(world.service.organization)
    for service in (world.service, second.service):
        assert post(f"/api/{service.pk}/gm", {}, api_token=value).code == "A278201"


def test_scheme_is_read_in_any_case(post, path, world):
    answer = post(path, {}, HTTP_AUTHORIZATION=f"bEARER  {world.api_token}")
    assert answer.status == 200


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "X"]
)
def test_method_not_allowed(post, path, method):
    """Before the API token is looked at."""
    answer = post(path, method=method)
    assert answer.status == 405
    assert answer.headers["Allow"] == "POST"
    if method != "HEAD":
        check(answer, Result.METHOD_NOT_ALLOWED)


def test_method_override_is_ignored(post, path, world):
    answer = post(path, {}, api_token=world.api_token, HTTP_X_HTTP_METHOD_OVERRIDE="DELETE")
    assert answer.status == 200


@override_settings(GRANT_MANAGEMENT={"MAX_BODY_SIZE": 100})
def test_body_too_large(post, path, world):
    """Before its media type is looked at; its very limit is allowed."""
    answer = post(path, b" " * 101, api_token=world.api_token, content_type="text/plain")
    check(answer, Result.BODY_TOO_LARGE)
    assert post(path, b"{" + b" " * 98 + b"}", api_token=world.api_token).status == 200


@pytest.mark.parametrize("of_the_host", [50, None, 2_621_440])
def test_the_limit_is_that_of_the_app(post, path, world, settings, of_the_host):
    """Django's own limits are for pages: neither that of bytes nor that of fields counts here."""
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = of_the_host
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 1
    settings.GRANT_MANAGEMENT = {"MAX_BODY_SIZE": 8_000_000}
    big = b'{"x":"' + b"y" * 3_000_000 + b'"}'
    check(post(path, big, api_token=world.api_token), Result.GM_ACTION_MISSING)
    form = b"a=1&b=2&gmAction=&x=" + b"y" * 3_000_000
    answer = post(path, form, api_token=world.api_token, content_type=FORM)
    check(answer, Result.GM_ACTION_MISSING)
    settings.GRANT_MANAGEMENT = {"MAX_BODY_SIZE": 49}
    check(post(path, b" " * 50, api_token=world.api_token), Result.BODY_TOO_LARGE)


def test_body_of_a_mebibyte_is_the_default_limit(post, path, world):
    big = b'{"x":"' + b"y" * (1_048_576 - 8) + b'"}'
    assert post(path, big, api_token=world.api_token).status == 200
    check(post(path, big + b" ", api_token=world.api_token), Result.BODY_TOO_LARGE)


@override_settings(GRANT_MANAGEMENT={"THROTTLE_RATE": "2/h"})
def test_throttled(post, path, world):
    """Counted for each API token."""
    from django.core.cache import cache

    cache.clear()
    for _ in range(2):
        assert post(path, {}, api_token=world.api_token).status == 200
    answer = post(path, b"", api_token=world.api_token, content_type="text/plain")
    check(answer, Result.THROTTLED)
    assert 0 < int(answer.headers["Retry-After"]) <= 3600
    assert post(path, {}, api_token=organization_token(world)).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/api/",
        "/api/x/gm",
        "/api/1/gm/",
        "/api/1/auth/gm/x",
        "/api/12345678901234567890/gm",
        "/api/\u0661/gm",
        "/api/1%00/gm",
        "/nowhere",
        "/api/1/gm%0a",
        "/api/-1/gm",
    ],
)
@pytest.mark.parametrize("debug", [False, True])
def test_route_unknown(post, db, settings, path, debug):
    """Before the method is looked at."""
    settings.DEBUG = debug
    for method in ("GET", "POST"):
        if not (debug and path == "/nowhere"):
            check(post(path, method=method), Result.ROUTE_UNKNOWN)


OPERATIONS = [
    "auth/authorization",
    "auth/authorization/issue",
    "auth/authorization/ticket/info",
    "auth/token",
    "auth/token/fail",
    "auth/token/create/batch",
    "auth/token/create/batch/status/1",
    "auth/revocation",
    "auth/userinfo/issue",
    "pushed_auth_req",
    "client/registration",
    "client/registration/get",
    "client/lock_flag/update/1",
    "client/secret/refresh/1",
    "client/authorization/update/1",
    "client/extension/requestable_scopes/get/1",
    "service/jwks/get",
    "backchannel/authentication",
    "device/verification",
    "federation/configuration",
    "vci/single/issue",
    "hsk/get/list",
    "idtoken/reissue",
    "jose/verify",
    "nativesso",
    "nativesso/logout",
]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_operation_not_here(post, db, operation):
    """Authlete's own, which its clients may try: they hear that it is this server that has none."""
    for path in (f"/api/1/{operation}", f"/api/{9**19}/{operation}"):
        for method in ("GET", "POST", "DELETE"):
            check(post(path, method=method), Result.OPERATION_NOT_HERE)
    assert post(f"/api/1/{operation}/").code in ("A001208", "A001210")
    assert post(f"/api/x/{operation}").code == "A001208"


def test_what_is_not_here_leads_to_the_list_of_what_is(post, db):
    """The address that pyproject.toml has for the documents, and a page that is there."""
    said = post("/api/1/auth/authorization").body["resultMessage"]
    page = Path(__file__).parents[2] / "docs" / "reference" / "authlete.md"
    assert said.endswith(f"/docs/reference/{page.name}")
    assert page.exists()


@pytest.mark.parametrize(
    "path",
    [
        "auth/authorizations",
        "auth",
        "auth/token/x",
        "client",
        "clientx/get",
        "pushed_auth_req/x",
        "jose/verify%0a",
        "auth/gm/x",
    ],
)
def test_neither_ours_nor_authletes(post, db, path):
    check(post(f"/api/1/{path}"), Result.ROUTE_UNKNOWN)


@pytest.mark.parametrize(
    "length", ["x", "-1", "1e3", "\u0663", "9" * 19, "+5", " 5", "5 ", "2,2", "2, 2", "0x2", "2_0"]
)
def test_content_length_that_is_none(post, path, world, length):
    answer = post(path, {}, api_token=world.api_token, CONTENT_LENGTH=length)
    check(answer, Result.BODY_UNREADABLE)


@pytest.mark.parametrize("coding", ["chunked", "gzip, chunked", "identity", "x"])
def test_length_required(post, path, world, coding):
    """Here the server does not say that it reads to the end of such a body (PEP 3333)."""
    headers = {"HTTP_TRANSFER_ENCODING": coding, "CONTENT_LENGTH": ""}
    answer = post(path, {"gmAction": "QUERY"}, api_token=world.api_token, **headers)
    check(answer, Result.LENGTH_REQUIRED)


def test_two_lengths(post, path, world):
    """RFC 9112 §6.3: that is how requests are smuggled."""
    answer = post(path, {}, api_token=world.api_token, HTTP_TRANSFER_ENCODING="chunked")
    check(answer, Result.BODY_UNREADABLE)


@pytest.mark.parametrize("body", [b"", b" \n"])
def test_body_missing(post, path, world, body):
    check(post(path, body, api_token=world.api_token), Result.BODY_MISSING)


UNREADABLE = {
    "not JSON": b"{",
    "array": b"[]",
    "string": b'"x"',
    "null": b"null",
    "number": b"1",
    "duplicate member": b'{"gmAction":"QUERY","gmAction":"REVOKE"}',
    "nested duplicate": b'{"x":{"a":1,"a":2}}',
    "NaN": b'{"x":NaN}',
    "Infinity": b'{"x":-Infinity}',
    "65 levels": b'{"x":' + b"[" * 64 + b"]" * 64 + b"}",
    "100,000 levels": b"[" * 100_000,
    "100,000 objects": b'{"x":' * 100_000,
    "U+0000": b'{"x":"\\u0000"}',
    "U+0000 in a name": b'{"\\u0000":1}',
    "raw control": b'{"x":"\x00"}',
    "lone surrogate": b'{"dpop":"\\ud800"}',
    "nested surrogate": b'{"x":[{"y":"\\udfff"}]}',
    "not UTF-8": b'{"x":"\xff"}',
    "UTF-16": '{"x":1}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "trailing garbage": b"{}{}",
    "number of 5,000 digits": b'{"x":' + b"9" * 5_000 + b"}",
    "token a number": b'{"accessToken":1}',
    "token an array": b'{"accessToken":["x"]}',
    "proof an object": b'{"dpop":{}}',
    "action a boolean": b'{"gmAction":true}',
    "flag a string": b'{"dpopNonceRequired":"true"}',
    "flag a number": b'{"dpopNonceRequired":1}',
    "flag an array": b'{"dpopNonceRequired":[]}',
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_body_unreadable(post, path, world, body):
    check(post(path, body, api_token=world.api_token), Result.BODY_UNREADABLE)


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "utf-7", "utf-16", "rot13", "nonsense"])
def test_body_is_utf_8_whatever_the_charset_says(post, path, world, charset):
    media_type = f"application/json; charset={charset}"
    answer = post(path, {}, api_token=world.api_token, content_type=media_type)
    assert answer.status == 200
    body = b'{"x":"+AGE-\xff"}'
    answer = post(path, body, api_token=world.api_token, content_type=media_type)
    check(answer, Result.BODY_UNREADABLE)


@pytest.mark.parametrize(
    "body",
    [b"a=%ff", b"a=%00", b"accessToken=a&accessToken=b", b"dpopNonceRequired=TRUE", b"a=\xc3\xa4"],
)
def test_form_unreadable(post, path, world, body):
    form = "application/x-www-form-urlencoded"
    check(post(path, body, api_token=world.api_token, content_type=form), Result.BODY_UNREADABLE)


@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "text/plain",
        "text/json",
        "application/xml",
        "application/jsonx",
        "multipart/form-data; boundary=x",
    ],
)
def test_media_type_unsupported(post, path, world, media_type):
    answer = post(path, b"", api_token=world.api_token, content_type=media_type)
    check(answer, Result.MEDIA_TYPE_UNSUPPORTED)


def test_content_coding_is_unsupported(post, path, world):
    answer = post(path, {}, api_token=world.api_token, HTTP_CONTENT_ENCODING="gzip")
    check(answer, Result.MEDIA_TYPE_UNSUPPORTED)


def test_accept_is_ignored(post, path, world):
    for accept in ("application/xml", "text/html", "nonsense"):
        assert post(path, {}, api_token=world.api_token, HTTP_ACCEPT=accept).status == 200


def test_forbidden_host_is_json(post, path, world):
    answer = post(path, {}, api_token=world.api_token, HTTP_HOST="evil.example")
    check(answer, Result.BODY_UNREADABLE)


def test_failure_of_the_hosts_middleware_is_json(post, path, world, settings):
    first, others = settings.MIDDLEWARE[:2], settings.MIDDLEWARE[2:]
    settings.MIDDLEWARE = [*first, "tests.api.test_transport.Failing", *others]
    check(post(path, {}, api_token=world.api_token), Result.SERVER_FAILED)


class Failing:
    """A middleware of a host that has a bug."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        raise ZeroDivisionError


def test_doubled_leading_slash(world, rf):
    """As clients send it whose base URL ends in a slash; the test client cannot."""
    request = rf.post("/", {}, "application/json", HTTP_AUTHORIZATION=f"Bearer {world.api_token}")
    environ = request.environ | {"PATH_INFO": f"//api/{world.service.pk}/gm"}
    response = ClientHandler()(environ)
    assert json.loads(response.content)["resultCode"] == "A278201"


def test_the_order_of_the_checks(post, path, world):
    """Each request is wrong in everything that comes later."""
    wrong = {"method": "GET", "content_type": "text/plain"}
    assert post("/api/x/gm", **wrong).code == "A001208"
    assert post(path, **wrong).code == "A001205"
    wrong.pop("method")
    assert post(path, **wrong).code == "A001202"
    assert post("/api/1/gm", api_token="unknown", **wrong).code == "A458101"
    assert post("/api/1/gm", api_token=world.api_token, **wrong).code == "A458201"
    big = b" " * 1_048_577
    assert post(path, big, api_token=world.api_token, **wrong).code == "A001206"
    assert post(path, b"", api_token=world.api_token, **wrong).code == "A258201"
    assert post(path, b"", api_token=world.api_token).code == "A126203"


@pytest.mark.parametrize(
    ("length", "known", "reads"),
    [(SMALL, False, 1), (SMALL + 1, False, 0), (SMALL + 1, True, 1)],
)
def test_a_large_body_is_not_read_for_a_stranger(
    path, world, post, monkeypatch, length, known, reads
):
    read = []

    def parse(media_type, body):
        read.append(len(body))
        raise Refused(Result.BODY_UNREADABLE)

    monkeypatch.setattr(gm, "parse_gm_request", parse)
    api_token = world.api_token if known else "unknown"
    answer = post(path, b" " * length, api_token=api_token)
    check(answer, Result.BODY_UNREADABLE if known else Result.API_TOKEN_INVALID)
    assert read == [length] * reads


def test_admin_has_pages_for_its_errors(client, db):
    """JSON is for the API."""
    response = client.get("/admin/nowhere/", follow=True)
    assert response["Content-Type"].startswith("text/html")


def test_nothing_is_redirected(db):
    response = HTTP().post("/api/1/gm/", json.dumps({}), content_type="application/json")
    assert response.status_code == 404
