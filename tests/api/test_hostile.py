"""No input, whatever it is, gives an answer that is not JSON, or a failure of the server."""

import json

import pytest
from django.test import Client as HTTP
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grant_management.models import Grant, GrantEvent, UsedProof

from ..world import BOTH, ENDPOINT, Key, b64, certificate, make_world

EXAMPLES = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
NAMES = [
    "accessToken",
    "clientCertificate",
    "dpop",
    "htm",
    "htu",
    "gmAction",
    "grantId",
    "dpopNonceRequired",
]
ANYTHING = st.text(st.characters(codec=None))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANYTHING,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANYTHING, inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture
def hostile(world):
    """Send bytes; whatever comes back must be in shape, and nothing must have been revoked."""
    http = HTTP(raise_request_exception=False)

    def send(body=b"{}", path=f"/api/{world.service.pk}/gm", method="POST", **headers):
        headers = {
            "HTTP_AUTHORIZATION": f"Bearer {world.api_token}",
            "CONTENT_TYPE": "application/json",
        } | headers
        response = http.generic(method, path, body, **headers)
        assert response.status_code < 500
        assert response["Content-Type"] == "application/json"
        if method == "HEAD":
            return {}
        answer = json.loads(response.content)
        assert all(isinstance(value, str) for value in answer.values())
        assert answer["resultMessage"].startswith(f"[{answer['resultCode']}] ")
        assert not Grant.objects.exclude(revoked_at=None).exists()
        return answer

    return send


@EXAMPLES
@given(st.binary())
def test_any_body(hostile, body):
    hostile(body)
    hostile(body, CONTENT_TYPE="application/x-www-form-urlencoded")


@EXAMPLES
@given(st.dictionaries(st.sampled_from(NAMES) | ANYTHING, VALUES))
def test_any_members(hostile, members):
    hostile(json.dumps(members).encode())


@EXAMPLES
@given(
    st.fixed_dictionaries(
        dict.fromkeys(NAMES[:-1], ANYTHING) | {"gmAction": st.sampled_from(["QUERY", "REVOKE"])}
    )
)
def test_any_strings(hostile, members):
    hostile(json.dumps(members).encode())


@EXAMPLES
@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: ANYTHING | st.just("")
            for name in ("dpop", "clientCertificate", "htm", "htu", "grantId")
        },
    )
)
def test_any_strings_with_a_bound_token(hostile, world, members):
    """As above, but past the token: into the certificate and the proof."""
    for binding in ({"jkt": Key().jkt}, {"x5t_s256": certificate()[1]}):
        call = {
            "accessToken": world.token(**binding),
            "gmAction": "REVOKE",
            "grantId": "x",
        } | members
        hostile(json.dumps(call).encode())


KEY = Key()
HEADER = {"typ": "dpop+jwt", "alg": "ES256", "jwk": KEY.public}
CLAIMS = {"jti": "x", "htm": "DELETE", "htu": f"{ENDPOINT}/x", "iat": 0, "ath": "x"}


def mutated(members):
    """One or more members that are something else."""
    return st.dictionaries(
        st.sampled_from([*members, "crit", "b64", "nonce", "exp", "nbf"]), VALUES
    ).map(lambda changes: members | changes)


@EXAMPLES
@given(
    mutated(HEADER),
    mutated(CLAIMS),
    st.dictionaries(
        st.sampled_from([*KEY.public, "d", "n", "e", "k", "alg", "use", "key_ops"]), VALUES
    ),
)
def test_any_proof(hostile, world, header, claims, jwk):
    """A proof in the right shape, signed by the right key, with anything in it."""
    if isinstance(header["jwk"], dict):
        header = header | {"jwk": header["jwk"] | jwk}
    proof = f"{b64(json.dumps(header))}.{b64(json.dumps(claims))}.{b64('x' * 64)}"
    token = world.token(jkt=KEY.jkt)
    for text in (proof, KEY.sign(json.dumps(header), json.dumps(claims))):
        call = {"accessToken": token, "gmAction": "REVOKE", "grantId": "x", "dpop": text}
        answer = hostile(json.dumps(call).encode())
        assert answer["action"] == "UNAUTHORIZED"
    assert not UsedProof.objects.exists()


HEADERS = [
    "AUTHORIZATION",
    "ACCEPT",
    "CONTENT_ENCODING",
    "HOST",
    "X_FORWARDED_HOST",
    "DPOP",
    "COOKIE",
    "ORIGIN",
    "CONTENT_TYPE",
]
LATIN = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"))


@EXAMPLES
@given(st.dictionaries(st.sampled_from(HEADERS), LATIN))
def test_any_headers(hostile, headers):
    def name(header):
        return header if header == "CONTENT_TYPE" else f"HTTP_{header}"

    hostile(**{name(header): value for header, value in headers.items()})


@EXAMPLES
@given(st.text(st.characters(codec="utf-8")))
def test_any_path(hostile, rest):
    from urllib.parse import quote

    hostile(path=f"/api/{quote(rest)}")
    hostile(path=f"/api/{quote(rest, safe='')}/auth/gm")


@EXAMPLES
@given(
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabc-", min_size=1).filter(lambda method: method != "POST")
)
def test_any_method(hostile, method):
    assert hostile(method=method).get("resultCode", "A001205") == "A001205"


STORE_NAMES = [
    "clientId",
    "clientIdentifier",
    "name",
    "locked",
    "subject",
    "scopes",
    "claims",
    "authorizationDetails",
    "expiresAt",
    "active",
    "grantId",
    "grantManagementAction",
    "status",
    "limit",
    "cursor",
    "reason",
    "note",
    "grantType",
    "accessToken",
    "refreshToken",
    "accessTokenDuration",
    "refreshTokenDuration",
    "certificateThumbprint",
    "dpopKeyThumbprint",
    "resources",
    "properties",
    "accessTokenIdentifier",
    "refreshTokenIdentifier",
    "token",
    "clientCertificate",
    "dpop",
    "htm",
    "htu",
    "dpopNonceRequired",
    "token_type_hint",
]
PLAUSIBLE = st.sampled_from(
    [
        *(
            "app-1",
            "user-1",
            "t-1",
            "r-1",
            "create",
            "merge",
            "AUTHORIZATION_CODE",
            "CLIENT_CREDENTIALS",
        ),
        *(
            1,
            0,
            -1,
            2**53,
            2**63,
            10**30,
            1e300,
            True,
            [],
            {},
            ["openid"],
            [{"scope": "a"}],
            [{"type": "t"}],
        ),
        *([{"key": "grant_id", "value": "x"}], "x" * 43, "0" * 64, "active"),
        "2026-01-01T00:00:00+00:00_00000000-0000-7000-8000-000000000000",
        "0001-01-01T00:00:00_00000000-0000-7000-8000-000000000000",
    ]
)
ROUTES = [
    "clients",
    "grants",
    "grants/check",
    "grants/list",
    "grants/x/get",
    "grants/x/merge",
    "grants/x/replace",
    "grants/x/revoke",
    "auth/token/create",
    "auth/token/revoke",
    "auth/introspection",
    "tokens/refresh",
    "introspect",
    "revoke",
]


@pytest.mark.parametrize("route", ROUTES)
@settings(EXAMPLES, max_examples=60)
@given(
    members=st.dictionaries(st.sampled_from(STORE_NAMES), PLAUSIBLE | VALUES), key=st.none() | LATIN
)
def test_any_members_at_the_store(world, route, members, key):
    """No failure, always JSON, whatever is sent to whichever door."""
    if not Grant.objects.filter(grant_id="x").exists():
        grant = world.grant(grant_id="x")
        world.token(grant, value="t-1")
        world.refresh_token(grant, value="r-1")
    headers = {"HTTP_AUTHORIZATION": f"Bearer {world.api_token}"}
    if key is not None:
        headers["HTTP_IDEMPOTENCY_KEY"] = key
    path = f"/api/{world.service.pk}/{route}"
    http = HTTP(raise_request_exception=False)
    response = http.generic("POST", path, json.dumps(members), "application/json", **headers)
    assert response.status_code < 500
    assert response["Content-Type"] == "application/json"
    assert isinstance(json.loads(response.content), dict)


@EXAMPLES
@given(st.text(st.characters(codec="utf-8"), min_size=1), st.sampled_from(["GET", "DELETE"]))
def test_any_grant_id_at_the_drafts_endpoint(world, grant_id, method):
    from urllib.parse import quote

    headers = {"HTTP_AUTHORIZATION": f"Bearer {world.token()}"}
    path = f"/gm/{world.service.pk}/{quote(grant_id, safe='')}"
    response = HTTP(raise_request_exception=False).generic(method, path, **headers)
    assert response.status_code == 404


@EXAMPLES
@given(st.dictionaries(st.sampled_from(["AUTHORIZATION", "DPOP", "X_CLIENT_CERT"]), LATIN))
def test_any_headers_at_the_drafts_endpoint(world, headers):
    named = {f"HTTP_{name}": value for name, value in headers.items()}
    response = HTTP(raise_request_exception=False).get(f"/gm/{world.service.pk}/x", **named)
    assert response.status_code == 401


def test_nothing_is_written_by_what_is_refused(hostile, world):
    """The other way round: what the fuzzing sends would be seen if it did something."""
    grant = world.grant()
    token = world.token(grant, scopes=BOTH)
    call = {"accessToken": token, "gmAction": "REVOKE", "grantId": grant.grant_id}
    with pytest.raises(AssertionError):
        hostile(json.dumps(call).encode())
    assert GrantEvent.objects.exists()
    assert make_world().grant().revoked_at is None
