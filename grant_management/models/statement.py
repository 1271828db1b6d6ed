"""Statements of the hot path, run as near to the driver as can be.

Where somebody listens to the connection (a log of its queries, a wrapper of a test or a host),
they go Django's way, and are heard.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError

try:
    from psycopg import Cursor as ServerCursor
except ImportError:  # another driver, or none: Django says so where PostgreSQL is asked for
    ServerCursor = None  # type: ignore[assignment,misc]

T = TypeVar("T")
Row = tuple[Any, ...]


class Statement:
    """SQL with `%s` for its values, and as SQLite's driver has it."""

    __slots__ = ("_qmark", "_sql")

    def __init__(self, sql: str) -> None:
        self._sql = sql
        self._qmark = sql.replace("%s", "?").replace("%%", "%")

    def fetch(self, connection: Any, values: list[Any]) -> Row | None:
        """The first row. Where the connection was lost meanwhile, on a new one: a read can be
        done again, and so no request has to ask first whether its connection still stands.
        """
        try:
            return self._run(connection, values, _first)
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block or connection.is_usable():
                raise
        connection.close()
        return self._run(connection, values, _first)

    def change(self, connection: Any, values: list[Any]) -> int:
        """The number of rows that it changed."""
        return self._run(connection, values, _count)

    def _run(self, connection: Any, values: list[Any], read: Callable[[Any], T]) -> T:
        if connection.queries_logged or connection.execute_wrappers:
            with connection.cursor() as cursor:
                cursor.execute(self._sql, values)
                return read(cursor)
        connection.ensure_connection()
        connection.validate_no_broken_transaction()
        with connection.wrap_database_errors:
            answer = read(self._execute(connection, values))
        connection.health_check_done = True  # it has just been seen to stand
        return answer

    def _execute(self, connection: Any, values: list[Any]) -> Any:
        """The driver's own cursor. PostgreSQL's binds on the server and may prepare the statement
        there, where the connection's `prepare_threshold` says so: planning it is most of its cost.
        """
        if connection.vendor == "sqlite":
            return connection.connection.execute(self._qmark, values)
        if ServerCursor is None:
            cursor = connection.connection.cursor()
            cursor.execute(self._sql, values)
            return cursor
        return ServerCursor(connection.connection).execute(self._sql, values, binary=True)


def _first(cursor: Any) -> Row | None:
    row: Row | None = cursor.fetchone()
    return row


def _count(cursor: Any) -> int:
    return int(cursor.rowcount)
