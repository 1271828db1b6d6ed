"""What binds a token, through the whole of the endpoint."""

import json
import urllib.parse

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from grant_management.models import DPoPNonce, Grant, UsedProof

from ..ours import connection
from ..world import ENDPOINT, Key, certificate, make_world, now


@pytest.fixture
def key():
    return Key()


@pytest.fixture
def bound(world, call, key):
    """Call with a token that is bound to `key`; `dpop` is made, unless it is given."""
    grant = world.grant()
    token = world.token(grant, jkt=key.jkt)

    def send(**members):
        members = {"gmAction": "QUERY", "grantId": grant.grant_id, "accessToken": token} | members
        if "dpop" not in members:
            members["dpop"] = key.proof(token, htu=f"{ENDPOINT}/{grant.grant_id}")
        return call(**members)

    send.grant, send.token, send.url = grant, token, f"{ENDPOINT}/{grant.grant_id}"
    return send


@pytest.mark.parametrize(
    "alg",
    [
        "ES256",
        "ES384",
        "ES512",
        "PS256",
        "PS384",
        "PS512",
        "RS256",
        "RS384",
        "RS512",
        "EdDSA",
        "Ed25519",
    ],
)
def test_every_algorithm(world, call, alg):
    key = Key("EdDSA" if alg == "Ed25519" else alg)
    grant = world.grant()
    token = world.token(grant, jkt=key.jkt)
    proof = key.proof(token, htu=f"{ENDPOINT}/{grant.grant_id}", headers={"alg": alg})
    answer = call(gmAction="QUERY", grantId=grant.grant_id, accessToken=token, dpop=proof)
    assert answer.action == "OK"


def test_service_chooses_its_algorithms(world, bound, key):
    world.service.dpop_signing_algs = ["PS256"]
    world.service.save()
    answer = bound()
    assert answer.code == "A281307"
    assert answer.challenges["DPoP"]["algs"] == "PS256"


def test_default_method_of_revoke(world, bound, key):
    get = key.proof(bound.token, htu=bound.url)
    assert bound(gmAction="REVOKE", dpop=get).code == "A281307"
    delete = key.proof(bound.token, htu=bound.url, htm="DELETE")
    assert bound(gmAction="REVOKE", dpop=delete).action == "NO_CONTENT"


def test_caller_names_method_and_url(bound, key):
    proof = key.proof(bound.token, htu="https://AS.example.com:443/other", htm="POST")
    assert bound(dpop=proof, htm="POST", htu="https://as.example.com/other?x#y").action == "OK"


def test_refusal_names_the_expected_url(bound, key):
    answer = bound(dpop=key.proof(bound.token, htu="https://as.example.com/gm/other"))
    assert bound.url in answer.body["resultMessage"]


@pytest.mark.parametrize(
    "htu",
    [
        "/gm",
        "ftp://h/x",
        "https://",
        "https://u@h/x",
        "https://h:65536/x",
        "https://h/a b",
        "https://h/\u00e4",
        "https://h/%zz",
        "ht\ntps://h/x",
        " https://h/x",
        "https://h/x\\y",
        "https://[::1/x",
    ],
)
def test_callers_htu_must_be_a_url(bound, htu):
    answer = bound(htu=htu)
    assert (answer.action, answer.code) == ("CALLER_ERROR", "A278205")
    assert not UsedProof.objects.exists()


def test_no_endpoint_and_no_htu(world, bound, key):
    world.service.grant_management_endpoint = ""
    world.service.save()
    assert bound().code == "A278205"
    proof = key.proof(bound.token, htu="https://h/x")
    assert bound(htu="https://h/x", dpop=proof).action == "OK"


def test_endpoint_that_ends_in_a_slash_gets_no_second_one(world, bound):
    world.service.grant_management_endpoint = f"{ENDPOINT}/"
    world.service.save()
    assert bound().action == "OK"


def test_a_proof_is_good_once(bound, key):
    proof = key.proof(bound.token, htu=bound.url)
    assert bound(dpop=proof).action == "OK"
    assert bound(dpop=proof).code == "A281308"


def test_another_encoding_of_a_proof_is_the_same_proof(bound, key):
    """It is the `jti` that is burnt, not the text."""
    first = key.proof(bound.token, htu=bound.url, jti="one")
    second = key.proof(bound.token, htu=bound.url, jti="one", extra=1)
    assert bound(dpop=first).action == "OK"
    assert bound(dpop=second).code == "A281308"


def test_the_same_jti_of_another_key_is_another_proof(world, bound, key):
    assert bound(dpop=key.proof(bound.token, htu=bound.url, jti="one")).action == "OK"
    other = Key()
    token = world.token(bound.grant, jkt=other.jkt)
    proof = other.proof(token, htu=bound.url, jti="one")
    assert bound(accessToken=token, dpop=proof).action == "OK"


def test_proof_is_burnt_last(world, bound, key):
    """What fails for another reason can be mended and sent again."""
    proof = key.proof(bound.token, htu=bound.url)
    assert bound(dpop=proof, htm="PUT").code == "A281307"
    assert bound(dpop=proof, dpopNonceRequired=True).code == "A281309"
    assert bound(dpop=proof).action == "OK"


def test_proof_is_burnt_also_where_the_grant_is_refused(bound, key):
    proof = key.proof(bound.token, htu=bound.url)
    assert bound(dpop=proof, htu=bound.url, grantId="other").code == "A283301"
    assert bound(dpop=proof).code == "A281308"


def test_used_proof_outlives_its_acceptance(world, bound, key):
    world.service.dpop_max_age = 120
    world.service.save()
    iat = int(now().timestamp()) + 30
    assert bound(dpop=key.proof(bound.token, htu=bound.url, iat=iat)).action == "OK"
    used = UsedProof.objects.get()
    assert used.expires_at.timestamp() == iat + 120 + 60 + 5


class TestNonce:
    """RFC 9449 §9."""

    def test_challenge_and_retry(self, bound, key):
        challenged = bound(dpopNonceRequired=True)
        nonce = challenged.body["dpopNonce"]
        assert challenged.code == "A281309"
        proof = key.proof(bound.token, htu=bound.url, nonce=nonce)
        answer = bound(dpopNonceRequired=True, dpop=proof)
        assert (answer.action, answer.body["dpopNonce"]) == ("OK", nonce)
        assert DPoPNonce.objects.get().value == nonce

    def test_service_requires_it_whatever_the_request_says(self, world, bound):
        world.service.dpop_nonce_required = True
        world.service.save()
        answer = bound(dpopNonceRequired=False)
        assert answer.code == "A281309"

    def test_goes_out_on_every_answer_from_the_certificate_on(self, world, bound, key):
        def with_nonce(**claims):
            nonce = bound(dpopNonceRequired=True).body["dpopNonce"]
            return key.proof(bound.token, htu=bound.url, nonce=nonce, **claims)

        answers = [
            bound(dpopNonceRequired=True, dpop=""),
            bound(dpopNonceRequired=True, htu="?"),
            bound(dpopNonceRequired=True, dpop="x"),
            bound(dpopNonceRequired=True, dpop=with_nonce(), grantId="other", htu=bound.url),
            bound(dpopNonceRequired=True, dpop=with_nonce()),
        ]
        codes = [answer.code for answer in answers]
        assert codes == ["A281305", "A278205", "A281307", "A283301", "A277001"]
        assert all("dpopNonce" in answer.body for answer in answers)

    def test_stays_in_where_none_is_required_or_nothing_is_bound(self, world, bound, call):
        assert "dpopNonce" not in bound().body
        grant = world.grant()
        token = world.token(grant)
        answer = call(
            gmAction="QUERY", grantId=grant.grant_id, accessToken=token, dpopNonceRequired=True
        )
        assert answer.action == "OK"
        assert "dpopNonce" not in answer.body

    @pytest.mark.parametrize("nonce", ["", "other", "\u00e4"])
    def test_wrong_one(self, bound, key, nonce):
        proof = key.proof(bound.token, htu=bound.url, nonce=nonce)
        assert bound(dpopNonceRequired=True, dpop=proof).code == "A281309"

    def test_nonce_that_is_no_string_is_a_bad_proof(self, bound, key):
        for nonce in (1, None, ["x"]):
            proof = key.proof(bound.token, htu=bound.url, nonce=nonce)
            assert bound(dpopNonceRequired=True, dpop=proof).code == "A281307"

    def test_another_services_nonce(self, world, bound, key):
        other = make_world()
        foreign = DPoPNonce.objects.at(other.service, now()).current
        proof = key.proof(bound.token, htu=bound.url, nonce=foreign)
        assert bound(dpopNonceRequired=True, dpop=proof).code == "A281309"


@pytest.fixture
def certified(world, call):
    """Call with a certificate-bound token."""
    pem, thumbprint = certificate()
    grant = world.grant()
    token = world.token(grant, x5t_s256=thumbprint)

    def send(text):
        members = {"gmAction": "QUERY", "grantId": grant.grant_id, "accessToken": token}
        return call(clientCertificate=text, **members)

    send.pem = pem
    return send


FORMS = {
    "PEM": lambda pem: pem,
    "CRLF": lambda pem: pem.replace("\n", "\r\n"),
    "no final newline": lambda pem: pem.strip(),
    "URL-escaped": urllib.parse.quote,
    "URL-escaped but +=/": lambda pem: urllib.parse.quote(pem, safe="+=/"),
    "spaces": lambda pem: pem.replace("\n", " "),
    "tabs": lambda pem: pem.replace("\n", "\t"),
    "indented": lambda pem: pem.replace("\n", "\n\t"),
    "bare base64": lambda pem: "".join(pem.splitlines()[1:-1]),
    "RFC 9440": lambda pem: ":" + "".join(pem.splitlines()[1:-1]) + ":",
    "chain": lambda pem: pem + certificate("issuer")[0],
    "escaped chain": lambda pem: urllib.parse.quote(pem + certificate("issuer")[0]),
    "commented": lambda pem: "Subject: CN=budget-app\n" + pem,
    "Traefik": lambda pem: bare(pem),
    "Traefik's chain": lambda pem: f"{bare(pem)},{bare(certificate('issuer')[0])}",
    "Traefik's chain, escaped": lambda pem: urllib.parse.quote(
        f"{bare(pem)},{bare(certificate('issuer')[0])}"
    ),
}


def bare(pem):
    return "".join(pem.splitlines()[1:-1])


def escaped(pem):
    return urllib.parse.quote(pem)


def sequence(pem):
    """RFC 9440 §2.1."""
    return f":{bare(pem)}:"


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_certificate_as_proxies_send_it(certified, form):
    assert certified(form(certified.pem)).action == "OK"


BAD = {
    "second of a chain": (lambda pem: certificate()[0] + pem, "A281304"),
    "trailing byte": (lambda pem: "".join(pem.splitlines()[1:-1]) + "AA", "A281302"),
    "trusted certificate": (lambda pem: pem.replace("CERT", "TRUSTED CERT"), "A281302"),
    "not ASCII": (lambda pem: "\u00e4", "A281302"),
    "too long": (lambda pem: pem + " " * 70_000, "A281302"),
    "nothing in it": (
        lambda pem: "-----BEGIN CERTIFICATE----- -----END CERTIFICATE-----",
        "A281302",
    ),
    "broken escape": (lambda pem: "%ff%00", "A281302"),
    "second of Traefik's chain": (lambda pem: f"{bare(certificate()[0])},{bare(pem)}", "A281304"),
    "a chain that is cut off": (lambda pem: f"{bare(pem)},", "A281302"),
    "a chain without a leaf": (lambda pem: f",{bare(pem)}", "A281302"),
    "a chain with something else": (lambda pem: f"{bare(pem)},AAAA", "A281302"),
    "a leaf that is cut off": (lambda pem: pem.replace("\n", "!", 3) + certificate()[0], "A281302"),
    "after a key": (
        lambda pem: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" + pem,
        "A281302",
    ),
    "one colon": (lambda pem: sequence(pem)[1:], "A281302"),
}
TWICE = {
    "PEM": lambda pem: pem.replace("\n", "\t"),
    "escaped": escaped,
    "RFC 9440": sequence,
    "one of each": lambda pem: escaped(pem) + "," + sequence(pem),
    "with nothing": lambda pem: escaped(pem) + ",",
    "after nothing": lambda pem: "," + escaped(pem),
    "after anything": lambda pem: "x, " + escaped(pem),
}


@pytest.mark.parametrize("form", TWICE.values(), ids=TWICE)
@pytest.mark.parametrize("joint", [",", ", "])
def test_certificate_that_comes_twice_is_none(certified, form, joint):
    """A server joins two fields of one name with a comma (RFC 9110 §5.3, RFC 9440 §2.2)."""
    mine, another = form(certified.pem), form(certificate()[0])
    for value in (f"{mine}{joint}{another}", f"{another}{joint}{mine}", f"{mine}{joint}{mine}"):
        assert certified(value).code == "A281302"


@pytest.mark.parametrize(("form", "code"), BAD.values(), ids=BAD)
def test_certificate_that_is_none(certified, form, code):
    assert certified(form(certified.pem)).code == code


def test_both_bindings_must_hold(world, call, key):
    pem, thumbprint = certificate()
    grant = world.grant()
    token = world.token(grant, jkt=key.jkt, x5t_s256=thumbprint)
    members = {"gmAction": "QUERY", "grantId": grant.grant_id, "accessToken": token}
    proof = key.proof(token, htu=f"{ENDPOINT}/{grant.grant_id}")
    assert call(**members, dpop=proof).code == "A281301"
    assert "DPoP" in call(**members, dpop=proof).challenges
    assert call(**members, clientCertificate=pem).code == "A281305"
    assert call(**members, clientCertificate=pem, dpop=proof).action == "OK"


def test_private_rsa_key_costs_nothing(bound):
    """Its missing primes would be factored for seconds, before the signature fails."""
    private = rsa.generate_private_key(65537, 2048).private_numbers()
    key = Key("RS256")
    jwk = key.public | {"d": key.jwk.as_dict(private=True)["d"]}
    assert private.d
    proof = key.proof(bound.token, htu=bound.url, headers={"jwk": jwk})
    answer = bound(dpop=proof)
    assert answer.code == "A281307"
    assert "private" in answer.body["resultMessage"]
    assert json.dumps(jwk["d"]) not in str(answer.body)


def test_nonce_goes_out_where_the_certificate_is_refused(world, call, key):
    """From row 6 on: before the certificate is looked at."""
    grant = world.grant()
    token = world.token(grant, jkt=key.jkt, x5t_s256=certificate()[1])
    answer = call(
        gmAction="QUERY", grantId=grant.grant_id, accessToken=token, dpopNonceRequired=True
    )
    assert (answer.code, "dpopNonce" in answer.body) == ("A281301", True)


@pytest.mark.django_db(transaction=True)
def test_a_rollback_of_the_request_brings_no_proof_back(post, key, monkeypatch):
    """Also where the host wraps every request in a transaction."""
    world = make_world()
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    grant = world.grant()
    token = world.token(grant, jkt=key.jkt)
    proof = key.proof(token, htu=f"{ENDPOINT}/{grant.grant_id}")
    members = {"gmAction": "QUERY", "grantId": grant.grant_id, "accessToken": token, "dpop": proof}
    path = f"/api/{world.service.pk}/gm"

    seen = []

    def fail(*args, **kwargs):
        seen.append(connection.in_atomic_block)
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(Grant, "content", fail)
        assert post(path, members, api_token=world.api_token).code == "A277101"
    assert post(path, members, api_token=world.api_token).code == "A281308"
    assert seen == [False]
