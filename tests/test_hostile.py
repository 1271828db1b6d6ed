"""No input, whatever it is, gives an answer that is not JSON, or a failure of the server."""

import json

import pytest
from django.test import Client as HTTP
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grant_management.models import Grant, GrantEvent, UsedProof

from .world import BOTH, ENDPOINT, Key, b64, certificate, make_world

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


def test_nothing_is_written_by_what_is_refused(hostile, world):
    """The other way round: what the fuzzing sends would be seen if it did something."""
    grant = world.grant()
    token = world.token(grant, scopes=BOTH)
    call = {"accessToken": token, "gmAction": "REVOKE", "grantId": grant.grant_id}
    with pytest.raises(AssertionError):
        hostile(json.dumps(call).encode())
    assert GrantEvent.objects.exists()
    assert make_world().grant().revoked_at is None
