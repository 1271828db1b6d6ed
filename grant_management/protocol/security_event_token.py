"""Security Event Tokens (RFC 8417): their keys, and how they are signed.

RS256 with 2048 bits: the one algorithm that the CAEP interoperability profile lets receivers rely
on.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from . import times
from .digests import b64url_encode
from .jwk import thumbprint

ALG: Final = "RS256"
KEY_BITS: Final = 2_048
_EXPONENT: Final = 65_537
TYP: Final = "secevent+jwt"
MEDIA_TYPE: Final = f"application/{TYP}"


def new_key() -> bytes:
    """A new private key: PKCS #8, not encrypted."""
    made = generate_private_key(_EXPONENT, KEY_BITS)
    return made.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def public_jwk(key: bytes) -> dict[str, str]:
    """The public key as a JWK with its `kid`, which is the thumbprint (RFC 7517, RFC 7638)."""
    numbers = _private(key).public_key().public_numbers()
    members = {"kty": "RSA", "n": _octets(numbers.n), "e": _octets(numbers.e)}
    return {**members, "kid": thumbprint(members), "alg": ALG, "use": "sig"}


def claims(
    *,
    issuer: str,
    audience: str,
    jti: str,
    txn: str,
    at: datetime,
    subject: Mapping[str, Any],
    kind: str,
    details: Mapping[str, Any],
) -> dict[str, Any]:
    """The claims of a SET with one event, without `sub` and `exp` (SSF §4.1, RFC 9493 §4.1)."""
    return {
        "iss": issuer,
        "aud": audience,
        "iat": times.to_seconds(at),
        "jti": jti,
        "txn": txn,
        "sub_id": dict(subject),
        "events": {kind: dict(details)},
    }


def sign(key: bytes, kid: str, told: Mapping[str, Any]) -> str:
    """The SET, with an explicit type (SSF §4.1.1)."""
    headers = {"typ": TYP, "kid": kid}
    return jwt.encode(dict(told), _private(key), algorithm=ALG, headers=headers)


def _private(key: bytes) -> RSAPrivateKey:
    # It was made above and kept sealed, so its primes need not be tested each time.
    found = load_der_private_key(key, None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(found, RSAPrivateKey)  # noqa: S101 - for mypy
    return found


def _octets(number: int) -> str:
    return b64url_encode(number.to_bytes((number.bit_length() + 7) // 8))
