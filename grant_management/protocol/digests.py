"""Digests of credentials, and base64url without padding (RFC 7515 §2)."""

import base64
import hashlib
import re

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*\Z")


def sha256(text: str) -> bytes:
    """The digest of a credential: 32 bytes."""
    return hashlib.sha256(text.encode()).digest()


def b64url_encode(raw: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def b64url_decode(text: str) -> bytes:
    """The bytes behind canonical base64url; ValueError for any other spelling of them."""
    if not _ALPHABET.match(text):
        raise ValueError("not base64url")
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if b64url_encode(raw) != text:
        raise ValueError("not canonical base64url")
    return raw
