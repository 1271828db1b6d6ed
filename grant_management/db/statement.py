"""Statements of the hot path, run as near to the driver as can be.

Where somebody listens to the connection (a log of its queries, a wrapper of a test or a host),
they go Django's way, and are heard.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db import DatabaseError, InterfaceError, NotSupportedError, OperationalError

from .failures import classify, sqlstate
from .values import Row, Value

try:
    from . import prepared
except ImportError:  # another driver than psycopg 3, or none
    prepared = None  # type: ignore[assignment]

T = TypeVar("T")


class Statement:
    """SQL with `%s` for its values, and as the drivers have it."""

    __slots__ = ("numbered", "qmark", "sql")

    def __init__(self, sql: str) -> None:
        parts = sql.split("%s")
        self.sql = sql
        self.qmark = "?".join(parts).replace("%%", "%")
        numbers = (f"${number}" for number in range(1, len(parts)))
        joined = parts[0] + "".join(map("".join, zip(numbers, parts[1:], strict=True)))
        self.numbered = joined.replace("%%", "%").encode()

    def fetch(self, connection: Any, values: list[Value]) -> Row | None:
        """The first row. Where the connection was lost meanwhile, on a new one: a read can be
        done again, and so no request has to ask first whether its connection still stands.
        """
        try:
            return self._run(connection, values, _first, "fetch")
        except (OperationalError, InterfaceError, NotSupportedError) as error:
            if connection.in_atomic_block or not _is_about_the_connection(error):
                raise
        connection.close()
        return self._run(connection, values, _first, "fetch")

    def change(self, connection: Any, values: list[Value]) -> int:
        """The number of rows that it changed."""
        return self._run(connection, values, _count, "change")

    def _run(self, connection: Any, values: list[Value], read: Callable[[Any], T], name: str) -> T:
        if connection.queries_logged or connection.execute_wrappers:
            with connection.cursor() as cursor:
                cursor.execute(self.sql, values)
                return read(cursor)
        if connection.connection is None:
            connection.ensure_connection()
        connection.validate_no_broken_transaction()
        try:
            answer = self._execute(connection, values, read, name)
        except connection.Database.Error:
            with connection.wrap_database_errors:  # as one of Django's
                raise
        connection.health_check_done = True  # it has just been seen to stand
        return answer

    def _execute(
        self, connection: Any, values: list[Value], read: Callable[[Any], T], name: str
    ) -> T:
        """By the driver itself; on PostgreSQL prepared, where that is safe: planning is most of
        what a statement costs.
        """
        driver = connection.connection
        if connection.vendor == "sqlite":
            return read(driver.execute(self.qmark, values))
        if prepared is not None and prepared.can_run(driver):
            run: Callable[[Any, bytes, list[Value]], T] = getattr(prepared, name)
            return run(driver, self.numbered, values)
        with driver.cursor() as cursor:
            cursor.execute(self.sql, values)
            return read(cursor)


def _is_about_the_connection(error: DatabaseError | InterfaceError) -> bool:
    """Whether another connection may do better: it was lost, or what it had planned is outdated.

    A statement that was refused or waited too long is not sent a second time.
    """
    return classify(error).closes or sqlstate(error) == "0A000"  # feature_not_supported


def _first(cursor: Any) -> Row | None:
    row: Row | None = cursor.fetchone()
    return row


def _count(cursor: Any) -> int:
    return int(cursor.rowcount)
