"""Which pages are at work in this process: a page may take longer than a call of the API.

An export is written to a file before its first byte is sent, so its connection is silent meanwhile.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

PREFIXES: Final = ("/admin/", "/static/")
"""Paths that are no call of the API."""
LONGEST: Final = 300.0
"""Seconds after which a page is not waited for any more, as in deploy/nginx.conf."""
NEAR: Final = 3.0
"""Seconds between the first byte of a request, as the kernel saw it, and the start of its page."""

_at_work: Final[dict[int, tuple[str, float]]] = {}


@contextmanager
def at_work(address: str, arrived: float) -> Iterator[None]:
    """While this thread works on a page for a client's address; `arrived` is monotonic."""
    me = threading.get_ident()
    _at_work[me] = address, arrived
    try:
        yield
    finally:
        del _at_work[me]


def is_at_work(address: str, since: float) -> bool:
    """Whether a page is at work for this address whose request began at about that moment."""
    if time.monotonic() - since > LONGEST:
        return False
    pages = list(_at_work.values())
    return any(one == address and abs(arrived - since) < NEAR for one, arrived in pages)
