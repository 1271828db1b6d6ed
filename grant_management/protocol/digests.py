"""Digests of credentials, and base64url without padding (RFC 7515 §2)."""

import binascii
import hashlib
import re
import string
from typing import Final

_ALPHABET: Final = re.compile(r"[A-Za-z0-9_-]*\Z")
_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")
# The characters that may be last, by the length modulo 4: those whose spare bits are zero (RFC
# 4648 §3.5), so that a value has one spelling. A remainder of 1 encodes no whole byte.
_DIGITS: Final = f"{string.ascii_uppercase}{string.ascii_lowercase}{string.digits}-_"
_LAST: Final = {0: _DIGITS, 2: _DIGITS[::16], 3: _DIGITS[::4]}


def sha256(text: str) -> bytes:
    """The SHA-256 digest of a credential: 32 bytes."""
    return hashlib.sha256(text.encode()).digest()


def b64url_encode(raw: bytes) -> str:
    """The base64url of the bytes, without padding."""
    return binascii.b2a_base64(raw, newline=False).translate(_TO_URL).rstrip(b"=").decode()


def b64url_decode(text: str) -> bytes:
    """The bytes of canonical base64url without padding. ValueError: it is spelt otherwise."""
    last = _LAST.get(len(text) % 4)
    if last is None or not _ALPHABET.match(text) or text[-1:] not in last:
        raise ValueError("not canonical base64url")
    # Excess padding is ignored, so that its right length need not be computed.
    return binascii.a2b_base64(text.encode().translate(_FROM_URL) + b"==")
