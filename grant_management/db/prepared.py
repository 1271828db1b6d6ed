"""Runs statements on PostgreSQL by psycopg's `pq` layer: a cursor costs more than the statement.

Outside of a transaction a statement is prepared, so it is planned once for each connection. Its
name is a digest of its SQL, so that behind a pooler the name means the same SQL, whoever prepared
it. Inside a transaction a statement is sent unprepared: BEGIN is sent with the first statement,
when a pooler may choose another session, and executing a statement that is not prepared there
would abort the transaction. `sql` is in PostgreSQL's own form, with `$1`.
"""

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg import Connection, OperationalError, generators
from psycopg.adapt import AdaptersMap, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import DiagnosticField, ExecStatus, Format, TransactionStatus

from .values import Row, Value

_TIMESTAMPTZ = psycopg.postgres.types["timestamptz"].oid
# PostgreSQL's Appendix A: invalid_sql_statement_name, duplicate_prepared_statement.
_NOT_PREPARED, _PREPARED_ALREADY = b"26000", b"42P05"
_SESSION = "_grant_management_session"

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult


class _Context(NamedTuple):
    """The connection and adapters from which a `Transformer` takes its loaders."""

    connection: "Connection[Any]"
    adapters: AdaptersMap


def _loaders(driver: "Connection[Any]") -> AdaptersMap:
    """Django's loaders, except the one for times: it is Python, and as slow as a request's routing.

    psycopg's own loader returns the same moments, in the connection's time zone, which Django sets.
    """
    loaders = AdaptersMap(driver.adapters)
    of_django = loaders.get_loader(_TIMESTAMPTZ, Format.TEXT)
    own = psycopg.adapters.get_loader(_TIMESTAMPTZ, Format.TEXT)
    if own is not None and getattr(of_django, "timezone", None) is not None:
        loaders.register_loader(_TIMESTAMPTZ, own)
    return loaders


class _Session:
    """The statements that one connection has prepared, and the row loaders of each."""

    __slots__ = ("context", "names", "transformers")

    def __init__(self, driver: "Connection[Any]") -> None:
        self.context = _Context(driver, _loaders(driver))
        self.names: dict[bytes, bytes] = {}
        self.transformers: dict[bytes, Any] = {}

    def first_row(self, sql: bytes, result: "PGresult") -> Row:
        """The first row. Its loaders are chosen once, since a statement's columns stay the same."""
        transformer = self.transformers.get(sql)
        if transformer is None:
            transformer = self.transformers[sql] = Transformer(self.context)
            transformer.set_pgresult(result)
        else:
            transformer.set_pgresult(result, set_loaders=False)
        row: Row = transformer.load_row(0, tuple)
        return row


def _session(driver: "Connection[Any]") -> _Session:
    """The session of a connection, kept as its attribute so that both end together."""
    session: _Session | None = getattr(driver, _SESSION, None)
    if session is None:
        session = _Session(driver)
        setattr(driver, _SESSION, session)
    return session


def fetch(driver: "Connection[Any]", sql: bytes, values: list[Value]) -> Row | None:
    """The first row, with the values that Django's cursors would load; None: no row."""
    session = _session(driver)
    result = _execute(driver, session, sql, values, ExecStatus.TUPLES_OK)
    return session.first_row(sql, result) if result.ntuples else None


def change(driver: "Connection[Any]", sql: bytes, values: list[Value]) -> int:
    """The number of rows that the statement changed."""
    result = _execute(driver, _session(driver), sql, values, ExecStatus.COMMAND_OK)
    return result.command_tuples or 0


def _execute(
    driver: "Connection[Any]",
    session: _Session,
    sql: bytes,
    values: list[Value],
    good: ExecStatus,
) -> "PGresult":
    sent = [_sent(value) for value in values]
    formats = [Format.BINARY if isinstance(value, bytes) else Format.TEXT for value in values]
    pgconn = driver.pgconn
    if not driver.autocommit:
        _begin(driver)
        pgconn.send_query_params(sql, sent, None, formats)
        result = _answer(driver)
    else:
        name = session.names.get(sql) or _prepare(driver, session, sql)
        pgconn.send_query_prepared(name, sent, formats)
        result = _answer(driver)
        if result.status != good and result.error_field(DiagnosticField.SQLSTATE) == _NOT_PREPARED:
            # A pooler chose a session where it is not prepared. Nothing ran there: send it again.
            del session.names[sql]
            pgconn.send_query_params(sql, sent, None, formats)
            result = _answer(driver)
    _check(result, good)
    return result


def _answer(driver: "Connection[Any]") -> "PGresult":
    """The result of the statement that was sent last.

    It is waited for in `Connection.wait`, as psycopg's own statements are: a connection may bound
    that, while libpq's blocking functions wait for as long as it takes.
    """
    result: PGresult = driver.wait(generators.execute(driver.pgconn))[-1]
    return result


def _begin(driver: "Connection[Any]") -> None:
    """Send the BEGIN that psycopg sends before the first statement (`Connection.autocommit`)."""
    if driver.pgconn.transaction_status == TransactionStatus.IDLE:
        driver.pgconn.send_query(b"BEGIN")
        _check(_answer(driver), ExecStatus.COMMAND_OK)


def can_run(driver: Any) -> bool:
    """Whether it is a psycopg 3 connection whose transactions begin with a plain BEGIN.

    This module sends no other.
    """
    if not isinstance(driver, Connection):
        return False
    chosen = (driver.isolation_level, driver.read_only, driver.deferrable)
    return chosen == (None, None, None)


def _check(result: Any, good: ExecStatus) -> None:
    """Raise psycopg's error unless the result has the status `good`."""
    if result.status == good:
        return
    # A server that crashes leaves a result without a SQLSTATE; one that ends a session says why.
    if not result.error_field(DiagnosticField.SQLSTATE):
        raise OperationalError("the connection is lost")
    raise error_from_result(result)


def _prepare(driver: "Connection[Any]", session: _Session, sql: bytes) -> bytes:
    name = b"gm_" + hashlib.sha256(sql).hexdigest()[:32].encode()
    driver.pgconn.send_prepare(name, sql)
    result = _answer(driver)
    # Behind a pooler another client may have prepared it: the same name means the same SQL.
    if result.error_field(DiagnosticField.SQLSTATE) != _PREPARED_ALREADY:
        _check(result, ExecStatus.COMMAND_OK)
    session.names[sql] = name
    return name


def _sent(value: Value) -> bytes:
    """A value in PostgreSQL's text format; bytes as they are, in its binary format."""
    if isinstance(value, bytes):
        return value
    return (value.isoformat() if isinstance(value, datetime) else str(value)).encode()
