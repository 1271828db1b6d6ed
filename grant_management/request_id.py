"""The ID of the request in hand, by which logs, events and webhooks of one request are found.

A caller may choose it (`X-Request-ID`), so it is no credential and proves nothing.
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import Final

HEADER: Final = "X-Request-ID"
LONGEST: Final = 128
"""Characters of an ID."""
_SAFE: Final = re.compile(rf"[A-Za-z0-9._-]{{1,{LONGEST}}}\Z")
_current: Final = ContextVar("grant_management_request_id", default="")


def current() -> str:
    """The ID of the request in hand; "": there is none, as in a command."""
    return _current.get()


def accepted(sent: str) -> str:
    """The ID that a caller sent, if it has 1 to 128 letters, digits, dots, dashes and underscores;
    else a new one: 32 hexadecimal digits.
    """
    return sent if _SAFE.match(sent) else secrets.token_hex(16)


def begin(request_id: str) -> Token[str]:
    """It is the ID of the request in hand from now on, until `end` is given what this returns."""
    return _current.set(request_id)


def end(begun: Token[str]) -> None:
    """The request in hand is answered."""
    _current.reset(begun)


@contextmanager
def of_request(request_id: str) -> Iterator[None]:
    """In this context it is the ID of the request in hand."""
    begun = begin(request_id)
    try:
        yield
    finally:
        end(begun)
