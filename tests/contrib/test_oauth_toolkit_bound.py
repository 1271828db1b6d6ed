"""The toolkit's tokens, bound to a DPoP key (RFC 9449) or to a certificate (RFC 8705)."""

import json
import urllib.parse

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from requests_oauth2client import DPoPKey, OAuth2Client

from ..example import GM
from ..example_world import World, served
from ..world import Key, certificate

PROXY = {
    "CLIENT_CERTIFICATE_HEADER": "Client-Cert",
    "TRUSTED_PROXIES": ["127.0.0.0/8"],
    "UNDERSCORES_ARE_DROPPED": True,
}


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, tmp_path_factory):
    more = {"TEST_GRANT_MANAGEMENT": json.dumps(PROXY)}
    with served(django_db_blocker, tmp_path_factory, more, 2, **openid()) as seeded:
        seeded["run"](RS256)
        yield World(seeded)


def openid():
    """The settings with which the toolkit is an OpenID provider too."""
    pem = Key("RS256").private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    scopes = dict.fromkeys(["openid", "read", "write", "introspection", *GM.split()], "")
    return {"OIDC_ENABLED": True, "OIDC_RSA_PRIVATE_KEY": pem.decode(), "SCOPES": scopes}


@pytest.fixture
def key():
    return Key()


@pytest.fixture
def public(world):
    """The client as a public one."""
    name = world.client.secrets["client_id"]
    world.run(TYPE.format(name, "public"))
    yield name
    world.run(TYPE.format(name, "confidential"))


def token_proof(world, key, **claims):
    return key.proof("", without=["ath"], htm="POST", htu=f"{world.base}/o/token/", **claims)


def asks(world, form, *, auth=None, headers=None):
    return requests.post(
        f"{world.base}/o/token/", data=form, auth=auth, headers=headers or {}, timeout=60
    )


def redeems(world, headers, *, scope=f"{GM} read", auth=True, **asked):
    """The answer to a code that ann consented to."""
    asked = asked or {"grant_management_action": "create"}
    form = world.client.consent(world.ann, scope, **asked)
    form |= {"grant_type": "authorization_code", "redirect_uri": world.client.redirect_uri}
    return asks(world, form | names(world, auth), headers=headers)


def names(world, auth):
    ids = world.client.secrets
    return {"client_id": ids["client_id"]} | (
        {"client_secret": ids["client_secret"]} if auth else {}
    )


def refreshes(world, token, headers, *, auth=True):
    form = {"grant_type": "refresh_token", "refresh_token": token} | names(world, auth)
    return asks(world, form, headers=headers)


def bound(world, key, **more):
    answer = redeems(world, {"DPoP": token_proof(world, key)}, **more)
    assert answer.status_code == 200, answer.text
    return answer.json()


def opens(world, headers, path="/accounts/"):
    return requests.get(f"{world.base}{path}", headers=headers, timeout=60)


def shown(key, token, url, method="GET", **claims):
    return {
        "Authorization": f"DPoP {token}",
        "DPoP": key.proof(token, htm=method, htu=url, **claims),
    }


def test_with_a_published_client(world):
    """The whole way, also where nonces are required: the client learns them from the errors."""
    ids = world.client.secrets
    client = OAuth2Client(
        f"{world.base}/o/token/", (ids["client_id"], ids["client_secret"]), testing=True
    )
    for required in (False, True):
        world.run(NONCES.format(required))
        try:
            form = world.client.consent(world.ann, f"{GM} read", grant_management_action="create")
            form |= {"grant_type": "authorization_code", "redirect_uri": world.client.redirect_uri}
            token = client.token_request(form, dpop=True, dpop_key=DPoPKey.generate())
            assert token.token_type == "DPoP"
            page = requests.get(f"{world.base}/accounts/", auth=token, timeout=60)
            assert (page.status_code, page.json()) == (200, {"owner": "ann"})
            grant = f"{world.base}/gm/1/{token.grant_id}"
            assert requests.get(grant, auth=token, timeout=60).status_code == 200
            assert requests.delete(grant, auth=token, timeout=60).status_code == 204
            assert (
                requests.get(f"{world.base}/accounts/", auth=token, timeout=60).status_code == 401
            )
        finally:
            world.run(NONCES.format(False))


def test_a_resource_takes_the_token_from_its_sender_alone(world, key):
    """RFC 9449 §7, at the example's view and at the toolkit's own."""
    token = bound(world, key)["access_token"]
    url = f"{world.base}/accounts/"
    good = shown(key, token, url)
    assert opens(world, good).status_code == 200
    refused = {
        "replayed": (good, "invalid_dpop_proof"),
        "as a bearer token": ({"Authorization": f"Bearer {token}"}, "invalid_token"),
        "with a proof, as a bearer token": (
            shown(key, token, url) | {"Authorization": f"Bearer {token}"},
            "invalid_token",
        ),
        "without a proof": ({"Authorization": f"DPoP {token}"}, "invalid_token"),
        "another key": (shown(Key(), token, url), "invalid_token"),
        "another method": (shown(key, token, url, "POST"), "invalid_dpop_proof"),
        "another URL": (shown(key, token, f"{url}x"), "invalid_dpop_proof"),
        "another host": (shown(key, token, "https://evil.example/accounts/"), "invalid_dpop_proof"),
        "another token": (
            shown(key, token, url) | {"DPoP": key.proof("x", htu=url)},
            "invalid_dpop_proof",
        ),
    }
    for what, (headers, error) in refused.items():
        answer = opens(world, headers)
        assert answer.status_code == 401, what
        challenge = answer.headers["WWW-Authenticate"]
        assert challenge.startswith("DPoP "), what
        assert f'error="{error}"' in challenge, what
        assert 'algs="ES256' in challenge, what
        assert token not in challenge
    assert opens(world, {}, f"/accounts/?access_token={token}").status_code == 401


def test_the_host_header_decides_nothing(world, key):
    """The expected `htu` comes from the configuration."""
    token = bound(world, key)["access_token"]
    port = urllib.parse.urlsplit(world.base).port
    headers = shown(key, token, f"http://localhost:{port}/accounts/")
    assert opens(world, headers | {"Host": f"localhost:{port}"}).status_code == 401
    headers = shown(key, token, f"{world.base}/accounts/")
    assert opens(world, headers | {"Host": f"localhost:{port}"}).status_code == 200


def test_scopes_and_plain_tokens(world, key):
    """The decorator's other answers; an unbound token is no DPoP token (RFC 9449 §7.1)."""
    plain = world.tokens("read")["access_token"]
    assert opens(world, {"Authorization": f"Bearer {plain}"}).status_code == 200
    assert opens(world, shown(key, plain, f"{world.base}/accounts/")).status_code == 401
    none = opens(world, {})
    assert (none.status_code, none.headers["WWW-Authenticate"][:6]) == (401, "Bearer")
    poor = world.tokens("write")["access_token"]
    answer = opens(world, {"Authorization": f"Bearer {poor}"})
    assert answer.status_code == 403
    assert 'scope="read"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ({"htm": "GET"}, "invalid_dpop_proof"),
        ({"htu": "https://evil.example/o/token/"}, "invalid_dpop_proof"),
        ({"iat": 1}, "invalid_dpop_proof"),
        ("no proof", "invalid_dpop_proof"),
        ("twice", "invalid_dpop_proof"),
    ],
)
def test_a_bad_proof_gives_no_tokens(world, key, bad, error):
    """RFC 9449 §5; the code may be used once more."""
    claims = {"htm": "POST", "htu": f"{world.base}/o/token/"}
    proof = bad
    if isinstance(bad, dict):
        proof = key.proof("", without=["ath"], **(claims | bad))
    if bad == "twice":
        proof = f"{token_proof(world, key)}, {token_proof(world, key)}"
    answer = redeems(world, {"DPoP": proof})
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_a_proof_is_good_for_one_token_request(world, key):
    proof = {"DPoP": token_proof(world, key)}
    assert redeems(world, proof).status_code == 200
    assert redeems(world, proof).json()["error"] == "invalid_dpop_proof"


def test_a_nonce_is_asked_for(world, key):
    world.run(NONCES.format(True))
    try:
        answer = redeems(world, {"DPoP": token_proof(world, key)})
        assert (answer.status_code, answer.json()["error"]) == (400, "use_dpop_nonce")
        nonce = answer.headers["DPoP-Nonce"]
        taken = redeems(world, {"DPoP": token_proof(world, key, nonce=nonce)})
        assert taken.json()["token_type"] == "DPoP"
        unbound = redeems(world, {})
        assert unbound.json()["token_type"] == "Bearer"
    finally:
        world.run(NONCES.format(False))


def test_introspection_says_what_it_is_bound_to(world, key):
    """RFC 9449 §6.2, at both introspection endpoints."""
    token = bound(world, key)["access_token"]
    theirs = world.introspected(token)
    ours = world.post("/api/1/introspect", {"token": token})
    for told in (theirs, ours):
        assert told["cnf"] == {"jkt": key.jkt}
        assert told["token_type"] == "DPoP"
    plain = world.tokens("read")["access_token"]
    told = world.introspected(plain)
    assert "cnf" not in told


def test_a_public_clients_refresh_token_is_bound(world, key, public):
    """RFC 9449 §5."""
    tokens = bound(world, key, auth=False, scope="read", grant_id="")
    old = tokens["refresh_token"]
    for headers in ({}, {"DPoP": token_proof(world, Key())}):
        answer = refreshes(world, old, headers, auth=False)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    answer = refreshes(world, old, {"DPoP": token_proof(world, key)}, auth=False)
    assert (answer.status_code, answer.json()["token_type"]) == (200, "DPoP")
    fresh = answer.json()
    assert opens(world, {"Authorization": f"Bearer {fresh['access_token']}"}).status_code == 401
    headers = shown(key, fresh["access_token"], f"{world.base}/accounts/")
    assert opens(world, headers).status_code == 200
    assert refreshes(world, fresh["refresh_token"], {}, auth=False).status_code == 400


def test_a_confidential_clients_refresh_token_is_not(world, key):
    """It is authenticated by its secret, and may change its key."""
    tokens = bound(world, key)
    other = Key()
    answer = refreshes(world, tokens["refresh_token"], {"DPoP": token_proof(world, other)})
    assert answer.json()["token_type"] == "DPoP"
    headers = shown(other, answer.json()["access_token"], f"{world.base}/accounts/")
    assert opens(world, headers).status_code == 200


def test_userinfo_and_id_tokens(world, key):
    """The toolkit's view takes the DPoP scheme, and no bound token without it; nor an ID token in
    place of one.
    """
    tokens = bound(world, key, scope="openid read")
    token = tokens["access_token"]
    url = f"{world.base}/o/userinfo/"
    assert opens(world, shown(key, token, url), "/o/userinfo/").status_code == 200
    assert opens(world, {"Authorization": f"Bearer {token}"}, "/o/userinfo/").status_code == 401
    plain = redeems(world, {}, scope="openid read").json()
    for answered, status in ((plain, 200), (tokens, 401)):
        headers = {"Authorization": f"Bearer {answered['id_token']}"}
        assert opens(world, headers).status_code == status


def test_a_certificate_binds(world):
    """RFC 8705 §3: at the token endpoint, at a resource, at the grant, and in introspection."""
    pem, thumbprint = certificate()
    sent = {"Client-Cert": urllib.parse.quote(pem)}
    other = {"Client-Cert": urllib.parse.quote(certificate()[0])}
    tokens = redeems(world, sent).json()
    assert tokens["token_type"] == "Bearer"
    token = {"Authorization": f"Bearer {tokens['access_token']}"}
    for path in ("/accounts/", f"/gm/1/{tokens['grant_id']}"):
        assert opens(world, token | sent, path).status_code == 200
        for wrong in ({}, other):
            answer = opens(world, token | wrong, path)
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token"')
    told = world.post("/api/1/introspect", {"token": tokens["access_token"]})
    assert told["cnf"] == {"x5t#S256": thumbprint}
    answer = redeems(world, {"Client-Cert": "none"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_certificate_binds_a_public_clients_refresh_token(world, public):
    sent = {"Client-Cert": urllib.parse.quote(certificate()[0])}
    tokens = redeems(world, sent, auth=False, scope="read", grant_id="").json()
    assert refreshes(world, tokens["refresh_token"], {}, auth=False).status_code == 400
    assert refreshes(world, tokens["refresh_token"], sent, auth=False).status_code == 200


def test_metadata(world):
    """Draft §7.1, RFC 9449 §5.1, RFC 8705 §3.3, RFC 8628 §4; the toolkit's are kept."""
    paths = ["/o/.well-known/openid-configuration"]
    if world.run(
        "from oauth2_provider import views\nresult = hasattr(views, 'OAuthServerMetadataView')"
    ):
        paths += [
            "/.well-known/oauth-authorization-server",
            "/.well-known/oauth-authorization-server/o",
        ]
    for path in paths:
        answer = requests.get(f"{world.base}{path}", timeout=60)
        told = answer.json()
        assert told["grant_management_endpoint"] == f"{world.base}/gm/1"
        assert told["grant_management_action_required"] is False
        assert "merge" in told["grant_management_actions_supported"]
        assert "ES256" in told["dpop_signing_alg_values_supported"]
        assert told["tls_client_certificate_bound_access_tokens"] is True
        assert told["device_authorization_endpoint"] == f"{world.base}/o/device-authorization/"
        assert told["issuer"].startswith(world.base)
        assert told["token_endpoint"] == f"{world.base}/o/token/"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


RS256 = """
from oauth2_provider.models import Application
Application.objects.update(algorithm="RS256")
"""
TYPE = """
from oauth2_provider.models import Application
Application.objects.filter(client_id="{0}").update(client_type="{1}")
"""
NONCES = """
from grant_management.models import Service
Service.objects.update(dpop_nonce_required={0})
"""
