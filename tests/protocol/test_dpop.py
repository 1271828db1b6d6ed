"""RFC 9449 §4.3, point by point: what others test, and what broke others."""

import dataclasses
import json
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from grant_management.protocol import certificates, dpop, jwk
from grant_management.protocol.digests import b64url_encode, sha256

from ..world import Key, b64

RFC = json.loads((Path(__file__).parent.parent / "data" / "rfc.json").read_text())
URL = "https://as.example.com/gm/g1"
NOW = time.time()
TOKEN = "an-access-token"
KEY = Key()


def expected(**changes):
    values = dpop.Expected(
        htm="GET",
        htu=URL,
        access_token=TOKEN,
        algs=list(jwk.REQUIREMENTS),
        now=NOW,
        max_age=60,
        clock_skew=60,
    )
    return dataclasses.replace(values, **changes)


def proof(key=KEY, **changes):
    return key.proof(TOKEN, **({"htu": URL, "iat": int(NOW)} | changes))


def refused(text, **changes):
    with pytest.raises(dpop.InvalidProof) as refusal:
        dpop.verify(text, expected(**changes))
    return str(refusal.value)


def test_rfc_9449_7_1():
    example = RFC["rfc9449_7_1"]
    values = expected(
        htu=example["htu"], access_token=example["access_token"], now=example["iat"] + 5
    )
    verified = dpop.verify(example["proof"], values)
    assert verified == dpop.Proof(example["jkt"], example["jti"], example["iat"], None)
    assert b64url_encode(sha256(example["access_token"])) == example["ath"]


def test_rfc_7638_3_1():
    example = RFC["rfc7638_3_1"]
    members = jwk.public_members(example["jwk"], "RS256")
    assert jwk.thumbprint(members) == example["thumbprint"]


def test_rfc_8705_a():
    example = RFC["rfc8705_a"]
    assert certificates.thumbprint(example["certificate"]) == example["x5t#S256"]


def test_valid_proof():
    verified = dpop.verify(proof(jti="one", nonce="n"), expected())
    assert (verified.jkt, verified.jti, verified.nonce) == (KEY.jkt, "one", "n")


POSITIVE = {
    "extra claims": {"foo": 1, "aud": "x", "iss": "y", "sub": 3},
    "query and fragment in htu": {"htu": f"{URL}?a=b#c"},
    "htu in capitals, with port": {"htu": "HTTPS://AS.EXAMPLE.COM:443/gm/g1"},
    "dot segments and escapes": {"htu": "https://as.example.com/x/../gm/%671"},
    "ten seconds early": {"iat": int(NOW) - 10},
    "ten seconds late": {"iat": int(NOW) + 10},
    "fraction": {"iat": NOW},
    "exp to come": {"exp": int(NOW) + 60},
    "nbf past": {"nbf": int(NOW) - 60},
    "long jti": {"jti": "x" * 2_000},
}


@pytest.mark.parametrize("claims", POSITIVE.values(), ids=POSITIVE)
def test_taken(claims):
    dpop.verify(proof(**claims), expected())


def test_taken_with_extra_members_in_header_and_jwk():
    public = KEY.public | {
        "kid": "k",
        "use": "sig",
        "key_ops": ["verify"],
        "alg": "ES256",
        "x5c": [],
    }
    headers = {"jwk": public, "kid": "k", "jku": "https://evil.example", "zip": "DEF", "cty": "x"}
    assert dpop.verify(proof(headers=headers), expected()).jkt == KEY.jkt


def test_coordinate_with_leading_zero_is_taken():
    while True:
        key = Key("ES256", ec.generate_private_key(ec.SECP256R1()))
        if key.private.public_key().public_numbers().x >> 248 == 0:
            break
    assert dpop.verify(proof(key), expected()).jkt == key.jkt


CLAIMS = {
    "jti empty": {"jti": ""},
    "jti number": {"jti": 1},
    "htm other": {"htm": "PUT"},
    "htm lower case": {"htm": "get"},
    "htm array": {"htm": ["GET"]},
    "htu other": {"htu": "https://as.example.com/gm/g1ohnonotagain"},
    "htu number": {"htu": 1},
    "htu unparsable": {"htu": "https://[x"},
    "htu with credentials": {"htu": "https://u:p@as.example.com/gm/g1"},
    "htu other scheme": {"htu": "ftp://as.example.com/gm/g1"},
    "htu http": {"htu": "http://as.example.com/gm/g1"},
    "htu other case": {"htu": "https://as.example.com/GM/g1"},
    "htu trailing slash": {"htu": f"{URL}/"},
    "htu doubled slash": {"htu": "https://as.example.com//gm/g1"},
    "htu escaped slash": {"htu": "https://as.example.com/gm%2Fg1"},
    "htu tab inside": {"htu": "https://as.example.com/gm/\tg1"},
    "htu space before": {"htu": f" {URL}"},
    "htu other port": {"htu": "https://as.example.com:444/gm/g1"},
    "htu port beyond": {"htu": "https://as.example.com:99999/gm/g1"},
    "htu letters for a port": {"htu": "https://as.example.com:abc/gm/g1"},
    "iat an hour ago": {"iat": int(NOW) - 3_600},
    "iat in an hour": {"iat": int(NOW) + 3_600},
    "iat string": {"iat": str(int(NOW))},
    "iat boolean": {"iat": True},
    "iat null": {"iat": None},
    "iat huge": {"iat": 10**400},
    "iat negative": {"iat": -1},
    "iat year 10000": {"iat": 253402300800},
    "exp past": {"exp": int(NOW) - 3_600},
    "exp string": {"exp": "x"},
    "nbf to come": {"nbf": int(NOW) + 3_600},
    "ath of another token": {"ath": b64(sha256("other"))},
    "ath not ASCII": {"ath": "\u00e4"},
    "ath number": {"ath": 1},
    "ath padded": {"ath": b64(sha256(TOKEN)) + "="},
    "nonce number": {"nonce": 1},
    "nonce null": {"nonce": None},
}


@pytest.mark.parametrize("claims", CLAIMS.values(), ids=CLAIMS)
def test_claims_refused(claims):
    refused(proof(**claims))


@pytest.mark.parametrize("name", ["jti", "htm", "htu", "iat", "ath", "typ", "alg", "jwk"])
def test_missing(name):
    refused(proof(without=[name]))


HEADERS = {
    "typ JWT": {"typ": "JWT"},
    "typ in capitals": {"typ": "DPOP+JWT"},
    "typ with prefix": {"typ": "application/dpop+jwt"},
    "typ longer": {"typ": "dpop+jwt+wrong"},
    "alg none": {"alg": "none"},
    "alg None": {"alg": "None"},
    "alg HS256": {"alg": "HS256"},
    "alg other curve": {"alg": "ES384"},
    "alg RS256 for an EC key": {"alg": "RS256"},
    "alg EdDSA for an EC key": {"alg": "EdDSA"},
    "alg ES256K": {"alg": "ES256K"},
    "alg ES521": {"alg": "ES521"},
    "alg number": {"alg": 1},
    "alg array": {"alg": ["ES256"]},
    "alg object": {"alg": {}},
    "alg boolean": {"alg": True},
    "crit": {"crit": ["exp"], "exp": 1},
    "crit empty": {"crit": []},
    "crit null": {"crit": None},
    "b64 false": {"b64": False},
    "b64 true": {"b64": True},
}


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
def test_header_refused(headers):
    refused(proof(headers=headers))


def test_algorithm_outside_the_services_list():
    assert "PS256" in refused(proof(), algs=["PS256", "EdDSA"])


def test_symmetric_algorithms_cannot_be_switched_on():
    octets = {"kty": "oct", "k": b64("x" * 32)}
    refused(proof(headers={"alg": "HS256", "jwk": octets}), algs=["HS256", "none"])


PUBLIC = KEY.public
JWKS = {
    "string": "x",
    "empty string": "",
    "number": 1,
    "true": True,
    "null": None,
    "array": [],
    "empty": {},
    "symmetric": {"kty": "oct", "k": "eHh4"},
    "private": KEY.jwk.as_dict(private=True),
    "private member null": PUBLIC | {"d": None},
    "symmetric member": PUBLIC | {"k": "eHh4"},
    "kty missing": {name: value for name, value in PUBLIC.items() if name != "kty"},
    "kty array": PUBLIC | {"kty": ["EC"]},
    "crv other": PUBLIC | {"crv": "P-384"},
    "crv secp256k1": PUBLIC | {"crv": "secp256k1"},
    "crv array": PUBLIC | {"crv": ["P-256"]},
    "y missing": {name: value for name, value in PUBLIC.items() if name != "y"},
    "x number": PUBLIC | {"x": 1},
    "x short": PUBLIC | {"x": PUBLIC["x"][:-2]},
    "x long": PUBLIC | {"x": b64(b"\0" * 33)},
    "x padded": PUBLIC | {"x": PUBLIC["x"] + "="},
    "x with newline": PUBLIC | {"x": PUBLIC["x"] + "\n"},
    "x standard alphabet": PUBLIC | {"x": "+/" + PUBLIC["x"][2:]},
    "x not canonical": PUBLIC | {"x": PUBLIC["x"][:-1] + ("B" if PUBLIC["x"][-1] != "B" else "C")},
    "off the curve": PUBLIC | {"y": PUBLIC["x"]},
    "at zero": PUBLIC | {"x": b64(b"\0" * 32), "y": b64(b"\0" * 32)},
    "for encryption": PUBLIC | {"use": "enc"},
    "to sign": PUBLIC | {"key_ops": ["sign"]},
    "key_ops string": PUBLIC | {"key_ops": "verify"},
    "for another alg": PUBLIC | {"alg": "ES384"},
    "alg none": PUBLIC | {"alg": "none"},
    "alg object": PUBLIC | {"alg": {}},
}


@pytest.mark.parametrize("value", JWKS.values(), ids=JWKS)
def test_jwk_refused(value):
    refused(proof(headers={"jwk": value}))


def rsa_jwk(**changes):
    public = RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048).public_key(), as_dict=True)
    return {"kty": "RSA", "n": public["n"], "e": public["e"]} | changes


RSA = {
    "1024 bits": lambda: rsa_jwk(n=b64(b"\xff" * 128)),
    "4104 bits": lambda: rsa_jwk(n=b64(b"\xff" * 513)),
    "100,000 bits": lambda: rsa_jwk(n=b64(b"\xff" * 12_500)),
    "even n": lambda: rsa_jwk(n=b64(b"\xff" * 255 + b"\xfe")),
    "leading zero in n": lambda: rsa_jwk(n=b64(b"\0" + b"\xff" * 256)),
    "leading zero in e": lambda: rsa_jwk(e=b64(b"\0\1\0\1")),
    "e is 1": lambda: rsa_jwk(e=b64(b"\1")),
    "e is even": lambda: rsa_jwk(e=b64(b"\4")),
    "e empty": lambda: rsa_jwk(e=""),
    "n empty": lambda: rsa_jwk(n=""),
    "e of five bytes": lambda: rsa_jwk(e=b64(b"\1\0\0\0\1")),
}


@pytest.mark.parametrize("make", RSA.values(), ids=RSA)
def test_rsa_key_refused_before_it_is_built(make):
    with pytest.raises(ValueError, match="jwk"):
        jwk.public_members(make(), "RS256")


def test_other_edwards_curves_refused():
    public = ed448.Ed448PrivateKey.generate().public_key()
    members = OKPAlgorithm.to_jwk(public, as_dict=True)
    refused(proof(headers={"alg": "EdDSA", "jwk": members}))
    refused(
        proof(headers={"alg": "EdDSA", "jwk": {"kty": "OKP", "crv": "X25519", "x": b64(b"x" * 32)}})
    )


class TestSignature:
    def test_altered(self):
        head, payload, signature = proof().split(".")
        swapped = "A" if signature[5] != "A" else "B"
        refused(f"{head}.{payload}.{signature[:5]}{swapped}{signature[6:]}")

    def test_of_another_key(self):
        refused(Key().proof(TOKEN, htu=URL, headers={"jwk": PUBLIC}))

    def test_of_another_payload(self):
        head, _, signature = proof().split(".")
        refused(f"{head}.{proof().split('.')[1]}.{signature}")

    @pytest.mark.parametrize("raw", [b"\0" * 64, b"x", b"\xff" * 64, b"\0" * 65])
    def test_made_up(self, raw):
        head, payload, _ = proof().split(".")
        refused(f"{head}.{payload}.{b64(raw)}")

    def test_der(self):
        from cryptography.hazmat.primitives import hashes

        head, payload, _ = proof().split(".")
        der = KEY.private.sign(f"{head}.{payload}".encode(), ec.ECDSA(hashes.SHA256()))
        refused(f"{head}.{payload}.{b64(der)}")


GOOD = proof()
TEXTS = {
    "empty": "",
    "one segment": "x",
    "two segments": ".".join(GOOD.split(".")[:2]),
    "no signature": ".".join(GOOD.split(".")[:2]) + ".",
    "four segments": GOOD + ".x",
    "two proofs, comma": f"{GOOD},{GOOD}",
    "two proofs, space": f"{GOOD} {GOOD}",
    "space before": f" {GOOD}",
    "newline after": f"{GOOD}\n",
    "padded header": GOOD.replace(".", "=.", 1),
    "padded signature": f"{GOOD}=",
    "padded signature twice": f"{GOOD}==",
    "not ASCII": GOOD.replace("a", "\u0430"),
    "U+0000": f"{GOOD}\0",
    "too long": proof(pad="x" * 20_000),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_text_refused(text):
    refused(text)


def payload(**changes):
    claims = {
        "jti": "j",
        "htm": "GET",
        "htu": URL,
        "iat": int(NOW),
        "ath": b64(sha256(TOKEN)),
    }
    return json.dumps(claims | changes)


HEADER = json.dumps({"typ": "dpop+jwt", "alg": "ES256", "jwk": PUBLIC})
PARTS = {
    "duplicate claim": (HEADER, payload()[:-1] + ',"htm":"GET"}'),
    "duplicate header": (HEADER[:-1] + ',"typ":"dpop+jwt"}', payload()),
    "duplicate in jwk": (HEADER.replace('"jwk": {', '"jwk": {"kty": "EC",'), payload()),
    "NaN": (HEADER, payload()[:-1] + ',"x":NaN}'),
    "UTF-16": (HEADER, payload().encode("utf-16")),
    "byte order mark": (b"\xef\xbb\xbf" + HEADER.encode(), payload()),
    "not UTF-8": (HEADER, payload().encode()[:-1] + b',"x":"\xff"}'),
    "payload array": (HEADER, "[]"),
    "header array": ("[]", payload()),
    "header string": ('"x"', payload()),
    "deep": (HEADER, payload()[:-1] + ',"x":' + "[" * 3_000 + "]" * 3_000 + "}"),
    "lone surrogate": (HEADER, payload()[:-1] + ',"x":"\\ud800"}'),
    "U+0000": (HEADER, payload()[:-1] + ',"x":"\\u0000"}'),
    "digits without end": (HEADER, payload()[:-1] + ',"x":' + "9" * 5_000 + "}"),
    "iat 1e400": (HEADER, payload().replace(f"{int(NOW)}", "1e400")),
}


@pytest.mark.parametrize(("header", "claims"), PARTS.values(), ids=PARTS)
def test_json_refused(header, claims):
    refused(KEY.sign(header, claims))


def test_these_parts_are_good_without_their_fault():
    dpop.verify(KEY.sign(HEADER, payload()), expected())


def test_refusals_quote_nothing():
    secret = "terces"
    for text in (proof(htm=secret), proof(htu=f"https://{secret}"), proof(headers={"typ": secret})):
        assert secret not in refused(text)


def test_pyjwt_knows_every_algorithm():
    assert jwk.ALGORITHMS.keys() == jwk.REQUIREMENTS.keys()
    assert isinstance(jwk.ALGORITHMS["ES256"], ECAlgorithm)
    assert isinstance(jwk.ALGORITHMS["Ed25519"], OKPAlgorithm)


class TestWhatIsRemembered:
    """Headers of proofs that verified, and no more of them than is bounded."""

    @pytest.fixture(autouse=True)
    def nothing(self):
        dpop._known.clear()
        yield
        dpop._known.clear()

    def test_nothing_of_what_is_refused(self):
        key = Key()
        good = key.proof("t", htu="https://as.example.com/gm/g", iat=int(NOW))
        for proof in (good[:-4] + "AAAA", f"{good.split('.')[0]}.e30.AAAA"):
            with pytest.raises(dpop.InvalidProof):
                dpop.verify(proof, expected(access_token="t", htu="https://as.example.com/gm/g"))
        assert dpop._known._length == 0

    def test_no_more_than_its_bound(self, monkeypatch):
        monkeypatch.setattr(dpop, "REMEMBERED", 1_000)
        for _ in range(8):
            proof = Key().proof("t", htu="https://as.example.com/gm/g", iat=int(NOW))
            dpop.verify(proof, expected(access_token="t", htu="https://as.example.com/gm/g"))
        assert 0 < dpop._known._length <= 1_000
        assert sum(map(len, dpop._known._headers)) == dpop._known._length
