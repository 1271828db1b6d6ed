"""The public key in the header of a DPoP proof: JWK (RFC 7517, 7518, 8037), thumbprint (7638)."""

import json
from typing import Any, Final, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from jwt.algorithms import Algorithm, get_default_algorithms
from jwt.exceptions import PyJWTError

from .digests import b64url_decode, b64url_encode, sha256


class Requirement(NamedTuple):
    """The kind of key that a signature algorithm needs; `crv` None: it has no curve."""

    kty: str
    crv: str | None


# RFC 9864 replaces the name EdDSA with Ed25519. Here both mean the curve Ed25519.
REQUIREMENTS: Final = {
    "ES256": Requirement("EC", "P-256"),
    "ES384": Requirement("EC", "P-384"),
    "ES512": Requirement("EC", "P-521"),
    "PS256": Requirement("RSA", None),
    "PS384": Requirement("RSA", None),
    "PS512": Requirement("RSA", None),
    "RS256": Requirement("RSA", None),
    "RS384": Requirement("RSA", None),
    "RS512": Requirement("RSA", None),
    "EdDSA": Requirement("OKP", "Ed25519"),
    "Ed25519": Requirement("OKP", "Ed25519"),
}
"""Only asymmetric algorithms: `none` and HMAC are missing, so no setting can enable them."""

_pyjwt = get_default_algorithms()
ALGORITHMS: Final[dict[str, Algorithm]] = {
    alg: _pyjwt["EdDSA" if alg == "Ed25519" else alg] for alg in REQUIREMENTS
}

_NOT_PUBLIC = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
_COORDINATE_BYTES = {"P-256": 32, "P-384": 48, "P-521": 66, "Ed25519": 32}
# RFC 7638 §3.2: the members that a thumbprint is made of, in lexicographic order.
_REQUIRED = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n"), "OKP": ("crv", "kty", "x")}


def public_members(jwk: Any, alg: str) -> dict[str, str]:
    """The required members of a public JWK that fits `alg`, checked before any key is built.

    Building a key first would be costly: a private RSA key without its primes takes seconds of
    factoring. ValueError: the key is private, symmetric, malformed, or not for `alg`.
    """
    if not isinstance(jwk, dict):
        raise ValueError("'jwk' is not an object")
    if any(name in jwk for name in _NOT_PUBLIC):
        raise ValueError("'jwk' has private or symmetric members")
    requirement = REQUIREMENTS[alg]
    if jwk.get("kty") != requirement.kty or requirement.crv not in (None, jwk.get("crv")):
        raise ValueError("'jwk' is no key of the kind that 'alg' needs")
    _check_usage(jwk, alg)
    required = _REQUIRED[requirement.kty]
    members = {name: jwk[name] for name in required if isinstance(jwk.get(name), str)}
    if len(members) < len(required):
        raise ValueError("'jwk' lacks a member, or one is no string")
    _check_size(members, requirement)
    return members


def public_key(alg: str, members: dict[str, str]) -> Any:
    """The key that these members of `public_members` describe. ValueError: there is no such key."""
    try:
        return ALGORITHMS[alg].from_jwk(members)
    except (PyJWTError, ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("'jwk' is no key") from None


def thumbprint(members: dict[str, str]) -> str:
    """The `jkt` of a JWK, from its required members (RFC 7638 §3)."""
    ordered = {name: members[name] for name in _REQUIRED[members["kty"]]}
    return b64url_encode(sha256(json.dumps(ordered, separators=(",", ":"))))


def _check_usage(jwk: dict[str, Any], alg: str) -> None:
    """Raise ValueError if `use`, `key_ops` or `alg` exclude this use (RFC 7517 §4.2 to §4.4)."""
    operations = jwk.get("key_ops", ["verify"])
    if jwk.get("alg", alg) != alg or jwk.get("use", "sig") != "sig":
        raise ValueError("'jwk' is a key for something else")
    if not isinstance(operations, list) or "verify" not in operations:
        raise ValueError("'jwk' is not a key to verify with")


def _check_size(members: dict[str, str], requirement: Requirement) -> None:
    """Raise ValueError for sizes out of bounds and for base64url that is not canonical.

    Otherwise one key would have several thumbprints.
    """
    if requirement.crv is None:
        return _check_rsa(b64url_decode(members["n"]), b64url_decode(members["e"]))
    for name in set(members) & {"x", "y"}:
        if len(b64url_decode(members[name])) != _COORDINATE_BYTES[requirement.crv]:
            raise ValueError(f"'{name}' of 'jwk' has the wrong length")
    return None


def _check_rsa(n: bytes, e: bytes) -> None:
    # No leading zero octets: one key would have many spellings (RFC 7518 §6.3.1). The upper bounds
    # limit the time of a verification.
    if n[:1] in (b"", b"\0") or e[:1] in (b"", b"\0") or len(n) > 512 or len(e) > 4:
        raise ValueError("'n' or 'e' of 'jwk' is out of bounds")
    if int.from_bytes(n).bit_length() < 2048 or not n[-1] & 1:
        raise ValueError("the RSA key of 'jwk' must have 2048 to 4096 bits")
    if int.from_bytes(e) < 3 or not e[-1] & 1:
        raise ValueError("'e' of 'jwk' is no RSA exponent")
