"""One process at a time: a lock on a file, which is free again once its holder has ended.

It is a lock of SQLite, which works wherever the database does. Needs the standard library alone,
since run.py imports it before anything is installed.
"""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol

from .private_files import PrivateConnection

PAUSE: Final = 0.2
"""Seconds between two tries."""


class Held(Protocol):
    """A lock that is held until it is closed."""

    def close(self) -> None:
        """Let the next process in."""


def lock(path: Path) -> Held | None:
    """Take the lock on a file, without waiting. None: another process holds it."""
    held = sqlite3.connect(path, timeout=0, isolation_level=None, factory=PrivateConnection)
    try:
        held.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        held.close()
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            return None
        raise
    return held


@contextlib.contextmanager
def alone(take: Callable[[], Held | None], say_waiting: Callable[[], object]) -> Iterator[None]:
    """Hold a lock during the block. Where another process has it, call `say_waiting`, then wait."""
    held = take()
    if held is None:
        say_waiting()
    while held is None:
        time.sleep(PAUSE)
        held = take()
    with contextlib.closing(held):
        yield
