"""The draft's own endpoint, and the metadata: what the OAuth client itself sees."""

import pytest
from django.test import Client as HTTP

from grant_management.models import Grant

from ..conftest import parse_challenges
from ..endpoint.test_flow import ALGS
from ..world import ENDPOINT, Key, certificate, make_world


@pytest.fixture
def ask(world):
    """A request of a client for a grant; the response."""

    def send(grant_id, token="", *, method="GET", scheme="Bearer", service=None, **headers):
        if token:
            headers["HTTP_AUTHORIZATION"] = f"{scheme} {token}"
        path = f"/gm/{(service or world.service).pk}/{grant_id}"
        response = HTTP(raise_request_exception=False).generic(method, path, **headers)
        assert response["Cache-Control"] == "no-store"
        return response

    return send


def test_query(world, ask):
    """Items 24 to 28."""
    grant = world.grant()
    response = ask(grant.grant_id, world.token(grant))
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    assert response.json() == {"scopes": [{"scope": "openid"}]}


def test_revoke(world, ask):
    """Items 32 and 33; then 37 with its own token, and 35 with another."""
    grant = world.grant()
    token, own = world.token(grant), world.token()
    response = ask(grant.grant_id, token, method="DELETE")
    assert (response.status_code, response.content) == (204, b"")
    assert "Content-Type" not in response
    assert ask(grant.grant_id, token).status_code == 401
    assert ask(grant.grant_id, own).status_code == 404
    assert ask(grant.grant_id, own, method="DELETE").status_code == 404


def challenge(response):
    return parse_challenges(response["WWW-Authenticate"])


def test_statuses(world, ask):
    """Items 22, 35, 36 and 37."""
    grant = world.grant()
    nothing = ask(grant.grant_id)
    assert nothing.status_code == 401
    assert challenge(nothing) == {"Bearer": {"realm": "Retail"}, "DPoP": {"algs": ALGS}}
    unknown = ask(grant.grant_id, "unknown")
    assert (unknown.status_code, challenge(unknown)["Bearer"]["error"]) == (401, "invalid_token")
    missing = ask("nowhere", world.token())
    assert (missing.status_code, challenge(missing)["Bearer"]["error"]) == (404, "invalid_grant_id")
    foreign = ask(world.grant(client=world.client_named("other")).grant_id, world.token())
    assert (foreign.status_code, challenge(foreign)["Bearer"]["error"]) == (
        403,
        "insufficient_scope",
    )
    weak = ask(grant.grant_id, world.token(grant, scopes="openid"))
    assert (weak.status_code, challenge(weak)["Bearer"]["scope"]) == (403, "grant_management_query")
    for response in (unknown, missing, foreign, weak):
        assert (
            response.json()["error_description"]
            == challenge(response)["Bearer"]["error_description"]
        )


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "OPTIONS", "get", "delete"])
def test_other_methods(world, ask, method):
    """Item 38; and methods are told apart by case (RFC 9110 §9.1)."""
    grant = world.grant()
    response = ask(grant.grant_id, world.token(grant), method=method)
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, DELETE")
    assert Grant.objects.get().revoked_at is None


def same_but_for_the_body(get, head):
    assert (head.status_code, head.content) == (get.status_code, b"")
    own = {"X-Request-ID": ""}
    assert {**head.headers, **own} == {**get.headers, **own}


def test_head_is_get_without_a_body(world, ask):
    """RFC 9110 §9.1 and §9.3.2, whatever the answer."""
    grant = world.grant()
    token = world.token(grant)
    for grant_id, value, status in (
        (grant.grant_id, token, 200),
        ("x", token, 404),
        ("x", "", 401),
    ):
        get, head = (ask(grant_id, value, method=method) for method in ("GET", "HEAD"))
        assert get.status_code == status
        same_but_for_the_body(get, head)
    path = f"/.well-known/oauth-authorization-server/{world.service.pk}"
    same_but_for_the_body(HTTP().get(path), HTTP().head(path))
    same_but_for_the_body(HTTP().get(f"{path}0"), HTTP().head(f"{path}0"))


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
@pytest.mark.parametrize(
    "framing", [{"CONTENT_LENGTH": "2"}, {"HTTP_TRANSFER_ENCODING": "chunked"}]
)
def test_methods_that_take_no_body(world, ask, method, framing):
    """Nobody waits for one, so nobody knows whether the request is whole: it is not processed."""
    grant = world.grant()
    response = ask(grant.grant_id, world.token(grant), method=method, **framing)
    assert response.status_code == 400
    assert Grant.objects.get().revoked_at is None
    path = f"/.well-known/oauth-authorization-server/{world.service.pk}"
    if method != "DELETE":
        assert HTTP().generic(method, path, **framing).status_code == 400
    assert (
        ask(grant.grant_id, world.token(grant), method="HEAD", CONTENT_LENGTH="0").status_code
        == 200
    )


def test_actions_that_the_service_does_not_support(world, ask):
    """Items 21 and 39."""
    world.service.actions_supported = ["query"]
    world.service.save()
    grant = world.grant()
    response = ask(grant.grant_id, world.token(grant), method="DELETE")
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
    assert Grant.objects.get().revoked_at is None


def test_credentials_in_other_places_are_none(world, ask):
    grant = world.grant()
    token = world.token(grant)
    for value in (
        f"Basic {token}",
        token,
        "Bearer",
        f"Bearer {token} x",
        f"Bearer {token}, Bearer {token}",
    ):
        assert ask(grant.grant_id, HTTP_AUTHORIZATION=value).status_code == 401
    response = HTTP().get(f"/gm/{world.service.pk}/{grant.grant_id}", {"access_token": token})
    assert response.status_code == 401


class TestDPoP:
    """RFC 9449 §7."""

    @pytest.fixture
    def bound(self, world, ask):
        key, grant = Key(), world.grant()
        token = world.token(grant, jkt=key.jkt)

        def send(*, method="GET", scheme="DPoP", proof=None, **claims):
            claims = {"htu": f"{ENDPOINT}/{grant.grant_id}", "htm": method} | claims
            made = key.proof(token, **claims) if proof is None else proof
            headers = {"HTTP_DPOP": made} if made else {}
            return ask(grant.grant_id, token, method=method, scheme=scheme, **headers)

        send.make = lambda **claims: key.proof(token, htu=f"{ENDPOINT}/{grant.grant_id}", **claims)
        return send

    def test_proof(self, bound):
        assert bound().status_code == 200
        assert bound(scheme="dpop").status_code == 200
        assert bound(method="HEAD", htm="GET").status_code == 401
        assert bound(method="GET", htm="HEAD").status_code == 401
        assert bound(method="DELETE").status_code == 204

    def test_a_proof_is_used_up_by_a_head(self, bound):
        proof = bound.make(htm="HEAD")
        assert bound(method="HEAD", proof=proof).status_code == 200
        assert bound(method="HEAD", proof=proof).status_code == 401

    def test_nonce(self, world, bound):
        world.service.dpop_nonce_required = True
        world.service.save()
        challenged = bound()
        assert challenged.status_code == 401
        assert challenge(challenged)["DPoP"]["error"] == "use_dpop_nonce"
        answered = bound(nonce=challenged["DPoP-Nonce"])
        assert answered.status_code == 200
        assert answered["DPoP-Nonce"] == challenged["DPoP-Nonce"]

    def test_bound_token_as_bearer(self, bound):
        response = bound(scheme="Bearer")
        assert (response.status_code, challenge(response)["DPoP"]["error"]) == (
            401,
            "invalid_token",
        )

    def test_two_proofs(self, bound):
        response = bound(proof=f"{bound.make()},{bound.make()}")
        assert (response.status_code, challenge(response)["DPoP"]["error"]) == (
            401,
            "invalid_dpop_proof",
        )

    def test_replay_and_none(self, bound):
        proof = bound.make()
        assert bound(proof=proof).status_code == 200
        assert bound(proof=proof).status_code == 401
        assert bound(proof="").status_code == 401

    def test_unbound_token_with_the_dpop_scheme(self, world, ask):
        grant, key = world.grant(), Key()
        token = world.token(grant)
        proof = key.proof(token, htu=f"{ENDPOINT}/{grant.grant_id}", htm="DELETE")
        response = ask(grant.grant_id, token, method="DELETE", scheme="DPoP", HTTP_DPOP=proof)
        assert response.status_code == 401
        assert Grant.objects.get().revoked_at is None


class TestCertificate:
    """From a proxy's header: only where the operator names it, and trusts the proxy."""

    @pytest.fixture
    def bound(self, world, ask):
        pem, thumbprint = certificate()
        grant = world.grant()
        token = world.token(grant, x5t_s256=thumbprint)
        header = pem.replace("\n", "\t")
        return lambda **extra: (
            ask(grant.grant_id, token, HTTP_X_CLIENT_CERT=header, **extra).status_code
        )

    def test_header(self, bound, settings):
        assert bound() == 401
        settings.GRANT_MANAGEMENT = {
            "CLIENT_CERTIFICATE_HEADER": "X-Client-Cert",
            "TRUSTED_PROXIES": ["127.0.0.0/8"],
        }
        assert bound() == 200
        assert bound(REMOTE_ADDR="192.0.2.1") == 401
        assert bound(REMOTE_ADDR="") == 401
        settings.GRANT_MANAGEMENT["CLIENT_CERTIFICATE_HEADER"] = "X-Other"
        assert bound() == 401

    @pytest.mark.parametrize(
        ("networks", "address", "trusted"),
        [
            ("127.0.0.0/8", "::ffff:127.0.0.1", True),
            ("127.0.0.0/8", "::FFFF:7f00:1", True),
            ("127.0.0.0/8", "::ffff:10.0.0.1", False),
            ("::ffff:127.0.0.0/104", "127.0.0.1", True),
            ("::ffff:127.0.0.0/104", "::ffff:127.0.0.1", True),
            ("::ffff:127.0.0.0/104", "10.0.0.1", False),
            ("::1/128", "::1", True),
            ("::1/128", "0.0.0.1", False),
            ("fe80::/10", "fe80::1%eth0", True),
            ("0.0.0.0/0", "::1", False),
            ("10.0.0.0/8", "10.0.0.0/8x", False),
        ],
    )
    def test_addresses(self, bound, settings, networks, address, trusted):
        """A socket for IPv4 and IPv6 has IPv4 addresses as `::ffff:…` (RFC 4291 §2.5.5.2)."""
        settings.GRANT_MANAGEMENT = {
            "CLIENT_CERTIFICATE_HEADER": "X-Client-Cert",
            "TRUSTED_PROXIES": [networks],
        }
        assert bound(REMOTE_ADDR=address) == (200 if trusted else 401)

    def test_server_that_folds_underscores(self, bound, settings):
        """Under granian `X_Client_Cert` comes as `X-Client-Cert`: nobody knows who sent it."""
        trusting = {
            "TRUSTED_PROXIES": ["127.0.0.0/8"],
            "CLIENT_CERTIFICATE_HEADER": "X-Client-Cert",
        }
        settings.GRANT_MANAGEMENT = trusting
        assert bound(SERVER_SOFTWARE="Granian") == 401
        assert bound(SERVER_SOFTWARE="gunicorn/23.0.0") == 200
        settings.GRANT_MANAGEMENT = trusting | {"UNDERSCORES_ARE_DROPPED": True}
        assert bound(SERVER_SOFTWARE="Granian") == 200

    def test_name_of_one_spelling(self, world, ask, settings):
        pem, thumbprint = certificate()
        grant = world.grant()
        token = world.token(grant, x5t_s256=thumbprint)
        settings.GRANT_MANAGEMENT = {
            "TRUSTED_PROXIES": ["127.0.0.0/8"],
            "CLIENT_CERTIFICATE_HEADER": "ClientCert",
        }
        for name, status in (("CLIENTCERT", 200), ("CLIENT_CERT", 401)):
            headers = {f"HTTP_{name}": pem.replace("\n", "\t"), "SERVER_SOFTWARE": "Granian"}
            assert ask(grant.grant_id, token, **headers).status_code == status


def test_service_is_chosen_by_the_url(world, ask):
    other = make_world(world.service.organization)
    grant = world.grant()
    token = world.token(grant)
    assert ask(grant.grant_id, token, service=other.service).status_code == 401
    for number in (1, 2**63, 9_999_999_999_999_999_999):
        response = HTTP().get(f"/gm/{number}/x")
        assert (response.status_code, response.json()["resultCode"]) == (404, "A001208")


def test_any_grant_id(world, ask):
    token = world.token()
    for grant_id in ("%00", "%FF", "%E4", "a%2Fb", "x" * 5_000, "%0d%0aX:y", "..."):
        assert ask(grant_id, token).status_code == 404


def test_metadata(world):
    """Items 39 to 41, and RFC 9449 §5.1; the issuer is where RFC 8414 §3.1 finds this path."""
    world.service.action_required = True
    world.service.save()
    path = f"/.well-known/oauth-authorization-server/{world.service.pk}"
    response = HTTP().get(path)
    assert response.json() == {
        "issuer": f"https://as.example.com/{world.service.pk}",
        "grant_management_actions_supported": ["query", "revoke", "create", "merge", "replace"],
        "grant_management_endpoint": ENDPOINT,
        "grant_management_action_required": True,
        "dpop_signing_alg_values_supported": ALGS.split(),
    }
    assert HTTP().post(path).status_code == 405


def test_which_services_there_are(world):
    """One without an endpoint publishes nothing about itself, and looks as if it were not there."""
    known = f"/.well-known/oauth-authorization-server/{world.service.pk}"
    unknown = "/.well-known/oauth-authorization-server/1"
    world.service.grant_management_endpoint = ""
    world.service.save()
    answers = [HTTP().get(path) for path in (known, unknown)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["resultCode"] == "A001208"
