"""When and from where each API token was used last: noted once the answer is made."""

import ipaddress
import threading
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.http import HttpRequest

from ..db import apart
from ..db.aside import aside
from ..models import Credentials
from ..models.last_used import PRECISION
from .client_address import client_address

MOST: Final = 10_000
"""API tokens that a process remembers."""

_noted: Final[dict[UUID, datetime]] = {}
"""When this process noted the use of an API token last, whether or not the database took it."""
_lock: Final = threading.Lock()


def note_use(request: HttpRequest, found: Credentials) -> None:
    """Store the use of an API token, at most once a minute for each token and process.

    In the common case that is no query: the row that found the caller says that it was stored
    within the last minute. A failure changes nothing for the caller.
    """
    token, now = found.api_token, found.now
    if token.last_used_at is not None and now - token.last_used_at < PRECISION:
        return
    if _is_first(token.pk, now):
        address = _known(client_address(request))
        with apart.first_alone():
            aside("The note of an API token's use", lambda: token.note_use(now, address))


def _is_first(key: UUID, now: datetime) -> bool:
    """Whether this process has not noted the use within the last minute. It has, after this."""
    with _lock:
        last = _noted.get(key)
        if last is not None and timedelta(0) <= now - last < PRECISION:
            return False
        if len(_noted) >= MOST:
            _noted.clear()
        _noted[key] = now
    return True


def _known(address: str) -> str:
    """The address, if it is one; "" for a UNIX socket, and for what a proxy made up."""
    try:
        return str(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return ""
