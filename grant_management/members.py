"""Readers of members: a JSON value in, the model's value out. ValueError: it is not acceptable.

Numbers come as `Literal`s: as they were written.
"""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from .models.keys import MAX_NUMBER
from .models.organization import MAX_ID
from .protocol import content, uris
from .protocol.digests import b64url_decode, sha256
from .protocol.strict_json import Literal

Reader = Callable[[Any], Any]

_THUMBPRINT_BYTES = 32
_INTEGER = re.compile(r"-?[0-9]{1,19}\Z")
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}\Z")


def text(longest: int, *, shortest: int = 1) -> Reader:
    """A string of so many characters."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or not shortest <= len(value) <= longest:
            raise ValueError(f"must be a string of {shortest} to {longest} characters")
        return value

    return read


def integer(lowest: int, highest: int) -> Reader:
    """A whole number within bounds."""

    def read(value: Any) -> int:
        number = (
            int(value.text) if isinstance(value, Literal) and _INTEGER.match(value.text) else None
        )
        if number is None or not lowest <= number <= highest:
            raise ValueError(f"must be a whole number from {lowest} to {highest}")
        return number

    return read


def optional(reader: Reader) -> Reader:
    """Null is a value of its own: none."""
    return lambda value: None if value is None else reader(value)


def flag(value: Any) -> bool:
    """True or false, and nothing that is like it."""
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def moment(value: Any) -> datetime:
    """A NumericDate (RFC 7519 §2), to the microsecond."""
    try:
        return datetime.fromtimestamp(float(value.text), UTC)
    except (AttributeError, ValueError, OverflowError, OSError):
        raise ValueError("must be a time in seconds since 1970") from None


def identity(value: Any) -> uuid.UUID:
    """A UUID."""
    try:
        return uuid.UUID(value)
    except (ValueError, AttributeError, TypeError):
        raise ValueError("must be a UUID") from None


def clear_value(value: Any) -> bytes:
    """The digest of a credential."""
    if not isinstance(value, str) or not value:
        raise ValueError("must be a token")
    return sha256(value)


def hex_digest(value: Any) -> bytes:
    """A digest of a credential, as 64 hexadecimal digits."""
    if not isinstance(value, str) or not _SHA256.match(value):
        raise ValueError("must be a SHA-256 in 64 hexadecimal digits")
    return bytes.fromhex(value)


def grant_id(value: Any) -> str:
    """1 to 255 characters that a URL keeps as they are."""
    if not isinstance(value, str) or not uris.is_grant_id(value):
        raise ValueError("must be 1 to 255 unreserved characters (RFC 3986, section 2.3)")
    return value


def grant_scopes(value: Any) -> str:
    """The scopes of a grant, as they are stored."""
    return content.show_scopes(content.scope_pairs(value))


def token_scopes(value: Any) -> str:
    """The scopes of a token: an array of names, or one space-delimited string."""
    if value is None or value == [] or value == "":
        return ""
    names = value if isinstance(value, list) else [value]
    return " ".join(sorted({name for one in names for name in content.scope_names(one)}))


def confirmation(value: Any) -> dict[str, str]:
    """`cnf` (RFC 7800) with `jkt` (RFC 9449 §6.1) and `x5t#S256` (RFC 8705 §3.1)."""
    if value is None:
        return {}
    if not isinstance(value, dict) or not value.keys() <= {"jkt", "x5t#S256"}:
        raise ValueError("must be an object with 'jkt' or 'x5t#S256'")
    fields = {"jkt": "jkt", "x5t#S256": "x5t_s256"}
    return {fields[name]: thumbprint(one) for name, one in value.items() if one is not None}


def names(value: Any) -> list[Any]:
    """An array; what may stand in it is the model's to say."""
    if not isinstance(value, list):
        raise ValueError("must be an array")
    return value


def thumbprint(value: Any) -> str:
    """A SHA-256 thumbprint of a key or a certificate."""
    if not isinstance(value, str) or len(b64url_decode(value)) != _THUMBPRINT_BYTES:
        raise ValueError("must hold SHA-256 thumbprints in base64url")
    return value


identifier = integer(1, MAX_ID)
"""The number of an organization or a service."""

client_number = integer(1, MAX_NUMBER)

generation = integer(0, 2**31 - 1)
