"""The ID of the request in hand, by which logs, events and webhooks of one request are found.

A caller may choose it (`X-Request-ID`), so it is no credential and proves nothing.
"""

import os
import re
from collections.abc import Callable, Iterator
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
    return sent if sent and _SAFE.match(sent) else os.urandom(16).hex()


begin: Final[Callable[[str], Token[str]]] = _current.set
"""Takes the ID of the request in hand from now on, until `end` is given what this returns."""
end: Final[Callable[[Token[str]], None]] = _current.reset
"""The request in hand is answered."""


@contextmanager
def of_request(request_id: str) -> Iterator[None]:
    """In this context it is the ID of the request in hand."""
    begun = begin(request_id)
    try:
        yield
    finally:
        end(begun)
