"""SQLite with a write-ahead log, which several processes may switch to at the same moment."""

import sqlite3
import time
from typing import Any, Final

from .private_files import PrivateConnection

PAUSE: Final = 0.005
"""Seconds between two attempts."""


class WriteAheadConnection(PrivateConnection):
    """A private connection in WAL mode, where the file system has that.

    sqlite3.OperationalError: no attempt of `timeout` seconds found the file free.
    """

    def __init__(self, database: Any, *, timeout: float = 5.0, **options: Any) -> None:
        super().__init__(database, timeout=timeout, **options)
        ends = time.monotonic() + timeout
        while not self._is_switched(ends):
            time.sleep(PAUSE)

    def _is_switched(self, ends: float) -> bool:
        """SQLite itself waits for no lock here: two that switch would wait for each other.

        https://www.sqlite.org/c3ref/busy_handler.html
        """
        try:
            self.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > ends:
                raise
            return False
        return True
