"""The questions behind `/readyz`: does the database take writes, is it migrated, what is its time?

They go over a connection of their own. A request's connection may be in a transaction, or wait for
a database that does not answer; and this one can be ended from another thread.
"""

import contextlib
import os
import socket
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from django.apps import apps
from django.db import Error, router
from django.db.migrations.loader import MigrationLoader
from django.utils.dateparse import parse_datetime

from . import apart, clock, primary
from .clock import CLOCK_TOLERANCE
from .failures import classify

DATABASE, MIGRATIONS, CLOCK = "database", "migrations", "clock"
"""The words for what fails."""
OWN_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "postgresql": {"connect_timeout": 2},
    "sqlite": {"timeout": 1},
}
"""Seconds to connect (PostgreSQL, for each host), and to wait for the write lock (SQLite)."""
Failing = tuple[str, ...]
Key = tuple[str, str]


class Probe:
    """Asks the database. One thread at a time may call `ask`; any thread may call `abort`."""

    def __init__(self, alias: str | None = None) -> None:
        """`alias`: of a database in which services live apart; None: the app's, or the first."""
        self._alias = alias
        self._connection: Any = None
        self._socket: socket.socket | None = None
        self.last_purge: datetime | None = None
        """When the last purge ended, as of the last question; None: unknown, or there was none."""

    def ask(self) -> Failing:
        """The words for what fails; () where all is well. It blocks while the database does.

        Where services live apart, it asks the first database: another one stops its own alone.
        """
        try:
            with apart.database(self._alias) if self._alias else apart.first_alone():
                connection = self._opened()
                failing = _failing(connection)
                self.last_purge = None if failing else _last_purge(connection)
        except Exception:  # noqa: BLE001 - whatever it was, the answer is no, without its text
            failing = (DATABASE,)
        if DATABASE in failing:
            self.close()  # the next one may reach the restarted database, or the new primary
        return failing

    def abort(self) -> None:
        """End a question that waits for an answer: its thread meets a lost connection.

        Not while it connects, which `connect_timeout` bounds.
        """
        held = self._socket
        if held is not None:
            with contextlib.suppress(OSError):  # it was lost or closed meanwhile
                held.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection; the next question opens a new one."""
        self._release_socket()
        connection, self._connection = self._connection, None
        if connection is not None and connection.connection is not None:
            with contextlib.suppress(Exception):
                connection.connection.close()
                connection.close()

    def _opened(self) -> Any:
        """The connection, made new where it is lost or older than CONN_MAX_AGE."""
        if self._connection is None:
            self._connection = _own_connection()
        self._connection.close_if_unusable_or_obsolete()
        if self._connection.connection is None:
            self._release_socket()
            self._connection.ensure_connection()
            self._socket = _second_handle(self._connection.connection)
        return self._connection

    def _release_socket(self) -> None:
        held, self._socket = self._socket, None
        if held is not None:
            held.close()


def _own_connection() -> Any:
    """A connection with the app's settings, shorter timeouts, and no pool; not opened yet."""
    connection = primary.connection().copy()
    options = connection.settings_dict["OPTIONS"]
    options.pop("pool", None)
    options.update(OWN_OPTIONS.get(connection.vendor, {}))
    connection.inc_thread_sharing()  # a thread for each question, one after the other
    return connection


def _second_handle(driver: Any) -> socket.socket | None:
    """A second descriptor of the connection's socket; None: it has no socket (SQLite).

    The driver's own descriptor may be closed at any moment, and its number be another's by then.
    """
    if not hasattr(driver, "fileno"):
        return None
    return socket.fromfd(driver.fileno(), socket.AF_INET, socket.SOCK_STREAM)  # of any family


def _failing(connection: Any) -> Failing:
    if not _takes_writes(connection):
        return (DATABASE,)
    well = {
        MIGRATIONS: _is_migrated(connection),
        CLOCK: abs(clock.difference(connection)) <= CLOCK_TOLERANCE,
    }
    return tuple(word for word, holds in well.items() if not holds)


def _takes_writes(connection: Any) -> bool:
    if connection.vendor == "sqlite":
        return _sqlite_writes(connection)
    return _postgresql_writes(connection)


def _postgresql_writes(connection: Any) -> bool:
    """Whether a transaction may write: it may not on a standby, nor where that is forbidden.

    A real write would cost a transaction ID each time, and where synchronous standbys are gone it
    would wait, and take a server away that can still answer QUERYs. A full disk is not seen.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('transaction_read_only')")
        return bool(cursor.fetchone() == ("off",))


def _sqlite_writes(connection: Any) -> bool:
    """Whether the write lock is free in time, and the file is writable.

    In WAL mode the lock alone says nothing of a disk that was made read-only meanwhile: taking it
    writes to shared memory only. `access` fails there, for root too (access(2), EROFS).
    """
    with connection.cursor() as cursor:
        path = cursor.execute("PRAGMA database_list").fetchone()[2]
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute("ROLLBACK")
    return not path or os.access(path, os.W_OK)


def _is_migrated(connection: Any) -> bool:
    """Whether each of the app's migrations was applied, or all that it replaces."""
    try:
        applied = _applied(connection)
    except Error as error:
        if classify(error).is_bug:  # there is no table of migrations
            return False
        raise
    return all(key in applied or replaced <= applied for key, replaced in _needed().items())


def _last_purge(connection: Any) -> datetime | None:
    """When the last purge ended (`models.PurgeRun`)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT finished_at FROM grant_management_purgerun")
        at = (cursor.fetchone() or (None,))[0]
    if isinstance(at, str):  # SQLite stores the text of the time in UTC
        at = parse_datetime(at)
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)


def _applied(connection: Any) -> set[Key]:
    """The migrations of all apps. A query set would take the thread's own connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations")
        return set(cursor.fetchall())


@cache
def _needed() -> dict[Key, frozenset[Key]]:
    """The migrations of this code for the app's database, and what each of them replaces.

    Only those of the app and its bridges: another app that waits for its migration stops nobody
    from calling the API.
    """
    found = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    return {
        key: frozenset((label, name) for label, name in migration.replaces) or frozenset({key})
        for key, migration in found.items()
        if _is_ours(key[0]) and router.allow_migrate(primary.alias(), key[0])
    }


def _is_ours(label: str) -> bool:
    return apps.get_app_config(label).name.partition(".")[0] == __name__.partition(".")[0]
