"""Notes that no decision depends on. Writing one waits for nobody, and its failure is no error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import Error

from ..protocol.results import Result
from . import primary
from .failures import settle, tell
from .write_slots import uncounted

SQLITE_TIMEOUT: Final = 5.0
"""Seconds that Django waits for SQLite's lock where the host's options name no `timeout`."""


def aside(what: str, write: Callable[[], Any]) -> None:
    """Call `write` in a transaction that waits neither for a lock nor for a replica.

    An error of the database changes nothing for the caller. It is logged as the failure of `what`,
    unless the database was only busy: then the note is left out.
    """
    connection = primary.connection()
    try:
        with uncounted(), _impatient(connection), primary.atomic():
            _hurry(connection)
            write()
    except Error as error:
        failure = settle(error)
        if failure.result is not Result.DATABASE_BUSY:
            tell(error, failure, what)


@contextmanager
def _impatient(connection: Any) -> Iterator[None]:
    """While SQLite, which has one lock for all writes, gives up at once where it is taken."""
    held = connection.connection if connection.vendor == "sqlite" else None
    if held is None:
        yield
        return
    patience = connection.settings_dict.get("OPTIONS", {}).get("timeout", SQLITE_TIMEOUT)
    held.execute("PRAGMA busy_timeout = 0")
    try:
        yield
    finally:
        held.execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")


def _hurry(connection: Any) -> None:
    """On PostgreSQL, for this transaction alone: a short wait for locks, and none for the disk."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('lock_timeout', '50ms', true),"
                " set_config('synchronous_commit', 'off', true)"
            )
