"""Verifies DPoP proofs, point by point of RFC 9449 §4.3.

The caller checks the nonce, that `jti` is used once, and that the access token is bound to the
proof's key: the first two need a memory, the last one needs the token.
"""

import hmac
import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from jwt.exceptions import PyJWTError

from . import jwk, strict_json, uris
from .digests import b64url_decode, b64url_encode, sha256

MAX_LENGTH: Final = 16_384
"""Characters; a proof with an RSA key of 4096 bits has about 2,500."""
REMEMBERED_LENGTH: Final = 1_536
"""Characters of the longest header that is remembered; with an RSA key of 4096 bits it has about
1,200."""
REMEMBERED: Final = 1_000_000
"""Characters of all remembered headers of a process: those of 4,000 clients with EC keys."""


class InvalidProof(ValueError):
    """The proof fails a point of §4.3. The message says which, without quoting the proof."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The request that a proof must have been made for. Times are seconds; `htu` is normalised.

    `access_token` is "" for a token request, which has none: `ath` is not checked (point 12).
    """

    htm: str
    htu: str
    access_token: str
    algs: Collection[str]
    now: float
    max_age: int
    clock_skew: int


class Proof(NamedTuple):
    """The claims of a valid proof. `iat` is a NumericDate, `jkt` the thumbprint of the key."""

    jkt: str
    jti: str
    iat: float
    nonce: str | None


def verify(text: str, expected: Expected) -> Proof:
    """The claims of a proof. InvalidProof: it is not valid. The costly signature comes last."""
    try:
        return _verify(text, expected)
    except InvalidProof:
        raise
    except ValueError as error:
        raise InvalidProof(str(error)) from None


def unverified(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and the claims of a proof that is not verified: to explain it, never to trust it.

    Both are {} where the proof cannot be read.
    """
    try:
        header_part, claims_part, _ = _split(text)
        return _json_object(header_part, "header"), _json_object(claims_part, "payload")
    except ValueError:
        return {}, {}


def _verify(text: str, expected: Expected) -> Proof:
    header_part, claims_part, signature_part = _split(text)
    known = _known.get(header_part)
    header = known.members if known else _json_object(header_part, "header")
    alg = _check_header(header, expected.algs)
    claims = _json_object(claims_part, "payload")
    _check_request(claims, expected)
    _check_times(claims, expected)
    said = known or _said(header, alg)
    _check_signature(f"{header_part}.{claims_part}", signature_part, alg, said.key)
    if known is None:
        _known.add(header_part, said)
    return Proof(said.jkt, claims["jti"], claims["iat"], claims.get("nonce"))


def _split(text: str) -> list[str]:
    """The parts of the JWT. Points 1 and 2: one well-formed JWT (RFC 7519 §7.2, RFC 7515 §5.2)."""
    if len(text) > MAX_LENGTH:
        raise InvalidProof("it is too long.")
    parts = text.split(".")
    if len(parts) != 3 or not all(parts):
        raise InvalidProof("it is not one JWT in compact form.")
    return parts


class _Header(NamedTuple):
    """The members of a header, its public key, and the thumbprint of the key."""

    members: dict[str, Any]
    key: Any
    jkt: str


class _Known:
    """The headers of proofs that verified.

    All proofs of a client have the same header. It is parsed once and its key is built once, which
    costs more than a verification. A known header says nothing about the validity of another proof.
    Headers of proofs that did not verify are not kept: each entry takes a key of its own.
    """

    def __init__(self) -> None:
        self._headers: dict[str, _Header] = {}
        self._length = 0

    def get(self, part: str) -> _Header | None:
        return self._headers.get(part)

    def add(self, part: str, said: _Header) -> None:
        """Remember a header. Where they are too many, all are forgotten: those in use return."""
        if len(part) > REMEMBERED_LENGTH:
            return
        if self._length + len(part) > REMEMBERED:
            self.clear()
        self._headers[part] = said
        self._length += len(part)

    def clear(self) -> None:
        self._headers, self._length = {}, 0


_known: Final = _Known()


def _said(header: dict[str, Any], alg: str) -> _Header:
    """The header with its key built. ValueError: it has no public key that fits `alg`."""
    members = jwk.public_members(header.get("jwk"), alg)
    return _Header(header, jwk.public_key(alg, members), jwk.thumbprint(members))


def _json_object(part: str, name: str) -> dict[str, Any]:
    try:
        value = strict_json.loads(b64url_decode(part))
    except ValueError:
        raise InvalidProof(f"its {name} is not canonical base64url of strict JSON.") from None
    if not isinstance(value, dict):
        raise InvalidProof(f"its {name} is not a JSON object.")
    return value


def _check_header(header: dict[str, Any], algs: Collection[str]) -> str:
    """The `alg`. Points 4 and 5; and no `crit`: no extension is known here (RFC 7515 §4.1.11)."""
    if header.get("typ") != "dpop+jwt":
        raise InvalidProof("its 'typ' is not dpop+jwt.")
    alg = header.get("alg")
    if not isinstance(alg, str) or alg not in algs or alg not in jwk.REQUIREMENTS:
        raise InvalidProof(f"its 'alg' is not one of {' '.join(algs)}.")
    if "crit" in header or "b64" in header:
        raise InvalidProof("its header has 'crit' or 'b64'.")
    return alg


def _check_request(claims: dict[str, Any], expected: Expected) -> None:
    """Points 3, 8, 9 and 12: required claims, method, URL and access token."""
    if not isinstance(claims.get("jti"), str) or not claims["jti"]:
        raise InvalidProof("'jti' is missing or not a string.")
    if claims.get("htm") != expected.htm:
        raise InvalidProof(f"'htm' is for another method; expected {expected.htm}.")
    if not _same_url(claims.get("htu"), expected.htu):
        raise InvalidProof(f"'htu' is for another URL; expected {expected.htu}.")
    if expected.access_token and not _is_digest_of(claims.get("ath"), expected.access_token):
        raise InvalidProof("'ath' is not for this access token.")
    if not isinstance(claims.get("nonce", ""), str):
        raise InvalidProof("'nonce' is not a string.")


def _same_url(htu: Any, expected: str) -> bool:
    try:
        return htu == expected or (isinstance(htu, str) and uris.normalise(htu) == expected)
    except ValueError:
        return False


def _is_digest_of(ath: Any, access_token: str) -> bool:
    digest = b64url_encode(sha256(access_token))
    return isinstance(ath, str) and hmac.compare_digest(ath.encode(), digest.encode())


def _check_times(claims: dict[str, Any], expected: Expected) -> None:
    """Point 11; and `exp` and `nbf`, which are optional in a proof."""
    skew = expected.clock_skew
    iat = _numeric_date(claims.get("iat"), "iat")
    if not expected.now - expected.max_age - skew <= iat <= expected.now + skew:
        raise InvalidProof("'iat' is too far from now: check the client's clock.")
    if "exp" in claims and _numeric_date(claims["exp"], "exp") <= expected.now - skew:
        raise InvalidProof("'exp' has passed.")
    if "nbf" in claims and _numeric_date(claims["nbf"], "nbf") > expected.now + skew:
        raise InvalidProof("'nbf' is not reached.")


def _numeric_date(value: Any, name: str) -> float:
    """A NumericDate (RFC 7519 §2). A bool is an int in Python, but no number in JSON."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidProof(f"'{name}' is missing or not a number.")
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidProof(f"'{name}' is out of range.")
    return value


def _check_signature(signed: str, signature: str, alg: str, key: Any) -> None:
    """Point 6. The key is that of the header, which `jwk` found to be public (point 7)."""
    try:
        valid = jwk.ALGORITHMS[alg].verify(signed.encode(), key, b64url_decode(signature))
    except (PyJWTError, ValueError, TypeError, UnsupportedAlgorithm):
        valid = False
    if not valid:
        raise InvalidProof("its signature does not verify.")
