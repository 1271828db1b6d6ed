"""Prepared statements on PostgreSQL by psycopg's own `pq`: planned once for each connection, and
sent without a cursor, which would cost more than the statement.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import psycopg
from psycopg import Connection, OperationalError
from psycopg.adapt import AdaptersMap, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, Format, TransactionStatus

_TIMESTAMPTZ = psycopg.postgres.types["timestamptz"].oid
_NOT_PREPARED = b"26000"  # invalid_sql_statement_name, PostgreSQL's Appendix A

if TYPE_CHECKING:
    from .statement import Row, Statement, Value


class _Context(NamedTuple):
    """Where a transformer finds its loaders."""

    connection: "Connection[Any]"
    adapters: AdaptersMap


def _loaders(driver: "Connection[Any]") -> AdaptersMap:
    """Django's, but for that of times: it is Python, and costs as much as a request's routing.

    psycopg's own gives the same moments, in the connection's time zone, which Django has set.
    """
    loaders = AdaptersMap(driver.adapters)
    of_django = loaders.get_loader(_TIMESTAMPTZ, Format.TEXT)
    own = psycopg.adapters.get_loader(_TIMESTAMPTZ, Format.TEXT)
    if own is not None and getattr(of_django, "timezone", None) is not None:
        loaders.register_loader(_TIMESTAMPTZ, own)
    return loaders


class _Session:
    """What one connection has prepared, and how it loads rows."""

    __slots__ = ("made", "names", "transformer")

    def __init__(self, driver: "Connection[Any]") -> None:
        self.transformer = Transformer(_Context(driver, _loaders(driver)))
        self.names: dict[Statement, bytes] = {}
        self.made = 0


_sessions: "WeakKeyDictionary[Connection[Any], _Session]" = WeakKeyDictionary()


def fetch(driver: "Connection[Any]", statement: "Statement", values: "list[Value]") -> "Row | None":
    """The first row, as Django's own cursors load it; None where there is none."""
    session, result = _execute(driver, statement, values, ExecStatus.TUPLES_OK)
    if result.ntuples == 0:
        return None
    session.transformer.set_pgresult(result)
    row: Row = session.transformer.load_row(0, tuple)
    return row


def change(driver: "Connection[Any]", statement: "Statement", values: "list[Value]") -> int:
    """The number of rows that it changed."""
    _session, result = _execute(driver, statement, values, ExecStatus.COMMAND_OK)
    return result.command_tuples or 0


def _execute(
    driver: "Connection[Any]", statement: "Statement", values: "list[Value]", good: ExecStatus
) -> tuple[_Session, Any]:
    session = _sessions.get(driver)
    if session is None:
        session = _sessions[driver] = _Session(driver)
    result = _send(driver, session, statement, values)
    if _is_gone(driver, result):  # a pooler cleaned the session up; nothing was done yet
        session.names.clear()
        result = _send(driver, session, statement, values)
    _check(driver, result, good)
    return session, result


def _send(
    driver: "Connection[Any]", session: _Session, statement: "Statement", values: "list[Value]"
) -> Any:
    name = session.names.get(statement) or _prepare(driver, session, statement)
    formats = [Format.BINARY if isinstance(value, bytes) else Format.TEXT for value in values]
    return driver.pgconn.exec_prepared(name, [_sent(value) for value in values], formats)


def _is_gone(driver: "Connection[Any]", result: Any) -> bool:
    """Whether the statement is not prepared any more, and can be again."""
    gone = result.error_field(DiagnosticField.SQLSTATE) == _NOT_PREPARED
    return gone and driver.pgconn.transaction_status == TransactionStatus.IDLE


def _check(driver: "Connection[Any]", result: Any, good: ExecStatus) -> None:
    """An error of psycopg, unless it went well."""
    if driver.pgconn.status == ConnStatus.BAD:
        raise OperationalError("the connection is lost")
    if result.status != good:
        raise error_from_result(result)


def _prepare(driver: "Connection[Any]", session: _Session, statement: "Statement") -> bytes:
    session.made += 1  # a name that may still be there is not used again
    name = f"grant_management_{session.made}".encode()
    result = driver.pgconn.prepare(name, statement.numbered)
    _check(driver, result, ExecStatus.COMMAND_OK)
    session.names[statement] = name
    return name


def _sent(value: "Value") -> bytes:
    """In PostgreSQL's text format, but for bytes."""
    if isinstance(value, bytes):
        return value
    return (value.isoformat() if isinstance(value, datetime) else str(value)).encode()
