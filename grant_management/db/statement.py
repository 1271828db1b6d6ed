"""Statements of the hot path, run as close to the driver as possible.

If the connection's queries are logged or wrapped (by a test or a host), they go through Django's
cursor, so that the log and the wrappers see them.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db import DatabaseError, InterfaceError, NotSupportedError, OperationalError

from .. import tracing
from .failures import classify, sqlstate
from .values import Row, Value

try:
    from . import prepared
except ImportError:  # another driver than psycopg 3, or none
    prepared = None  # type: ignore[assignment]

T = TypeVar("T")


class Statement:
    """SQL with `%s` for its values and `%%` for a percent sign; kept in each driver's form too.

    `qmark` has `?` (SQLite), `numbered` has `$1` and so on (PostgreSQL).
    """

    __slots__ = ("numbered", "qmark", "sql")

    def __init__(self, sql: str) -> None:
        parts = sql.split("%s")
        self.sql = sql
        self.qmark = "?".join(parts).replace("%%", "%")
        numbers = (f"${number}" for number in range(1, len(parts)))
        joined = parts[0] + "".join(map("".join, zip(numbers, parts[1:], strict=True)))
        self.numbered = joined.replace("%%", "%").encode()

    def fetch(self, connection: Any, values: list[Value]) -> Row | None:
        """The first row; None: no row.

        If the connection turns out to be lost, the statement is run again on a new one, except
        inside a transaction: so no request has to test its connection before a read.
        """
        try:
            return self._run(connection, values, _first, "fetch")
        except (OperationalError, InterfaceError, NotSupportedError) as error:
            if connection.in_atomic_block or not _is_about_the_connection(error):
                raise
        connection.close()
        return self._run(connection, values, _first, "fetch")

    def change(self, connection: Any, values: list[Value]) -> int:
        """The number of rows that the statement changed. Unlike `fetch` it never sends it again."""
        return self._run(connection, values, _count, "change")

    def _run(self, connection: Any, values: list[Value], read: Callable[[Any], T], name: str) -> T:
        wrappers = connection.execute_wrappers
        if connection.queries_logged or (wrappers and not tracing.is_alone(wrappers)):
            with connection.cursor() as cursor:
                cursor.execute(self.sql, values)
                return read(cursor)
        if connection.connection is None:
            connection.ensure_connection()
        connection.validate_no_broken_transaction()
        try:
            if tracing.tracer is None:
                answer = self._execute(connection, values, read, name)
            else:
                with tracing.tracer.statement(connection.vendor, self.sql):
                    answer = self._execute(connection, values, read, name)
        except connection.Database.Error:
            with connection.wrap_database_errors:  # as Django's exception
                raise
        connection.health_check_done = True  # Django need not test it again
        return answer

    def _execute(
        self, connection: Any, values: list[Value], read: Callable[[Any], T], name: str
    ) -> T:
        """Run it by the driver; on PostgreSQL prepared where that is safe, since planning is most
        of a statement's cost.
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
    """Whether a new connection may help: this one was lost, or its prepared plan is outdated.

    A statement that was refused or timed out is not sent a second time.
    """
    # feature_not_supported: a table has changed since the statement was prepared
    return classify(error).closes or sqlstate(error) == "0A000"


def _first(cursor: Any) -> Row | None:
    row: Row | None = cursor.fetchone()
    return row


def _count(cursor: Any) -> int:
    return int(cursor.rowcount)
