"""The hash chain of a service's events, and its signed heads.

A link has a digest of its event, and a digest of the link before it, its own place, the event's ID
and that digest. So whoever knows one link's digest notices every change of what stands before it.
Both digests are SHA-256. A head is a link's digest, signed as a JWS (RFC 7515) with Ed25519.
"""

import hashlib
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.types import Options

from .digests import b64url_decode, b64url_encode
from .jwk import thumbprint
from .strict_json import dumps

GENESIS: Final = bytes(32)
"""The digest before the first link."""
HEAD: Final = "gm-event-head+jwt"
CHECKPOINT: Final = "gm-event-checkpoint+jwt"
"""The header `typ` of a head that was exported, and of the last link that a purge deleted."""


_OPTIONS: Final[Any] = {"verify_iat": False}
"""A head stays what it is, whatever this machine's clock says."""


class NotSigned(Exception):
    """A head that none of the keys signed, or that is none."""


@dataclass(frozen=True, slots=True)
class Head:
    """A link of a chain: where it is, and its digest. `at`: when that was signed, in seconds."""

    service_id: int
    position: int
    digest: bytes
    at: int = field(default=0, compare=False)


def event_digest(members: Mapping[str, Any]) -> bytes:
    """The digest of an event's members: of their JSON, sorted by name."""
    ordered = {name: members[name] for name in sorted(members)}
    return hashlib.sha256(dumps(_sorted(ordered)).encode()).digest()


def link_digest(before: bytes, position: int, event: UUID, content: bytes) -> bytes:
    """The digest of a link. `before` is that of the link before it; `content` that of its event."""
    return hashlib.sha256(before + position.to_bytes(8) + event.bytes + content).digest()


def sign(key: str, kind: str, head: Head, at: int) -> str:
    """The JWS of a head. `key`: 32 bytes in base64url; `at` is in seconds since 1970."""
    claims = {
        "serviceId": str(head.service_id),
        "position": head.position,
        "digest": b64url_encode(head.digest),
        "iat": at,
    }
    headers = {"typ": kind, "kid": thumbprint(public_jwk(key))}
    return jwt.encode(claims, _private(key), algorithm="EdDSA", headers=headers)


def verify(text: str, kind: str, keys: Iterable[str]) -> Head:
    """The head of a JWS that one of the keys signed. NotSigned: it is no head of this kind."""
    for key in keys:
        try:
            public = _private(key).public_key()
            # A head stays what it is, whatever this machine's clock says.
            options: Options = {"verify_iat": False}
            read = jwt.decode_complete(text.strip(), public, ["EdDSA"], options)
            if read["header"].get("typ") == kind:
                return _head(read["payload"])
        except (jwt.PyJWTError, ValueError, TypeError, KeyError):
            continue
    raise NotSigned


def public_jwk(key: str) -> dict[str, Any]:
    """The public key, by which anybody can verify a head: a JWK (RFC 8037)."""
    raw = _private(key).public_key().public_bytes_raw()
    return {"kty": "OKP", "crv": "Ed25519", "x": b64url_encode(raw)}


def _head(claims: Mapping[str, Any]) -> Head:
    digest = b64url_decode(claims["digest"])
    return Head(int(claims["serviceId"]), int(claims["position"]), digest, int(claims["iat"]))


def _private(key: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(urlsafe_b64decode(key))


def _sorted(value: Any) -> Any:
    """The value with the members of each object sorted: databases keep them in orders of theirs."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(one) for one in value] if isinstance(value, list) else value
