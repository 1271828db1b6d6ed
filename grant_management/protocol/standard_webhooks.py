"""Keys and signatures of the Standard Webhooks specification 1.0: HMAC-SHA256 and Ed25519.

See https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import hashlib
import hmac
import secrets
from base64 import b64encode
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SYMMETRIC: Final = "v1"
ASYMMETRIC: Final = "v1a"
KINDS: Final = (SYMMETRIC, ASYMMETRIC)
KEY_BYTES: Final = 32
"""The specification takes 24 to 64 bytes for a symmetric key; a private Ed25519 key has 32."""


def new_key() -> bytes:
    """The bytes of a new key of either kind."""
    return secrets.token_bytes(KEY_BYTES)


def for_receiver(kind: str, key: bytes) -> str:
    """What the receiver verifies with: the secret (`whsec_…`), or the public key (`whpk_…`)."""
    if kind == SYMMETRIC:
        return f"whsec_{b64encode(key).decode()}"
    public = Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw()
    return f"whpk_{b64encode(public).decode()}"


def sign(kind: str, key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature, such as `v1,…`. `timestamp` is in seconds since 1970."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    if kind == SYMMETRIC:
        made = hmac.digest(key, signed, hashlib.sha256)
    else:
        made = Ed25519PrivateKey.from_private_bytes(key).sign(signed)
    return f"{kind},{b64encode(made).decode()}"
