"""Statements on PostgreSQL by psycopg's own `pq`: a cursor would cost more than the statement.

Outside of a transaction a statement is prepared: planned once for each connection. Its name is a
digest of its SQL, so that behind a pooler it never stands for another one, whoever prepared it.
Inside a transaction it is sent whole: psycopg sends its BEGIN late, and one that is not prepared
where the pooler leads would end the transaction. `sql` is in PostgreSQL's own form, with `$1`.
"""

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg import Connection, OperationalError
from psycopg.adapt import AdaptersMap, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, Format, TransactionStatus

from .values import Row, Value

_TIMESTAMPTZ = psycopg.postgres.types["timestamptz"].oid
# PostgreSQL's Appendix A: invalid_sql_statement_name, duplicate_prepared_statement.
_NOT_PREPARED, _PREPARED_ALREADY = b"26000", b"42P05"
_SESSION = "_grant_management_session"

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult


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
    """What one connection has prepared, and how it loads the rows of each statement."""

    __slots__ = ("context", "names", "transformers")

    def __init__(self, driver: "Connection[Any]") -> None:
        self.context = _Context(driver, _loaders(driver))
        self.names: dict[bytes, bytes] = {}
        self.transformers: dict[bytes, Any] = {}

    def first_row(self, sql: bytes, result: "PGresult") -> Row:
        """The loaders are chosen once: a statement names its columns, so they stay."""
        transformer = self.transformers.get(sql)
        if transformer is None:
            transformer = self.transformers[sql] = Transformer(self.context)
            transformer.set_pgresult(result)
        else:
            transformer.set_pgresult(result, set_loaders=False)
        row: Row = transformer.load_row(0, tuple)
        return row


def _session(driver: "Connection[Any]") -> _Session:
    """Kept by the connection itself, so that it goes with it."""
    session: _Session | None = getattr(driver, _SESSION, None)
    if session is None:
        session = _Session(driver)
        setattr(driver, _SESSION, session)
    return session


def fetch(driver: "Connection[Any]", sql: bytes, values: list[Value]) -> Row | None:
    """The first row, as Django's own cursors load it; None where there is none."""
    session = _session(driver)
    result = _execute(driver, session, sql, values, ExecStatus.TUPLES_OK)
    return session.first_row(sql, result) if result.ntuples else None


def change(driver: "Connection[Any]", sql: bytes, values: list[Value]) -> int:
    """The number of rows that it changed."""
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
    if not driver.autocommit:
        _begin(driver)
        result = driver.pgconn.exec_params(sql, sent, None, formats)
    else:
        name = session.names.get(sql) or _prepare(driver, session, sql)
        result = driver.pgconn.exec_prepared(name, sent, formats)
        if result.status != good and result.error_field(DiagnosticField.SQLSTATE) == _NOT_PREPARED:
            # A pooler led to a session that does not have it: nothing was done there yet.
            del session.names[sql]
            result = driver.pgconn.exec_params(sql, sent, None, formats)
    _check(driver, result, good)
    return result


def _begin(driver: "Connection[Any]") -> None:
    """What psycopg does before the first statement of a transaction (`Connection.autocommit`)."""
    if driver.pgconn.transaction_status == TransactionStatus.IDLE:
        _check(driver, driver.pgconn.exec_(b"BEGIN"), ExecStatus.COMMAND_OK)


def can_run(driver: Any) -> bool:
    """Whether it is a psycopg 3 that begins its transactions with a plain BEGIN."""
    if not isinstance(driver, Connection):
        return False
    chosen = (driver.isolation_level, driver.read_only, driver.deferrable)
    return chosen == (None, None, None)


def _check(driver: "Connection[Any]", result: Any, good: ExecStatus) -> None:
    """An error of psycopg, unless it went well."""
    if result.status == good:
        return
    # A server that crashes gives a result of its own, without a SQLSTATE.
    if driver.pgconn.status == ConnStatus.BAD or not result.error_field(DiagnosticField.SQLSTATE):
        raise OperationalError("the connection is lost")
    raise error_from_result(result)


def _prepare(driver: "Connection[Any]", session: _Session, sql: bytes) -> bytes:
    name = b"gm_" + hashlib.sha256(sql).hexdigest()[:32].encode()
    result = driver.pgconn.prepare(name, sql)
    if result.error_field(DiagnosticField.SQLSTATE) != _PREPARED_ALREADY:
        _check(driver, result, ExecStatus.COMMAND_OK)
    session.names[sql] = name
    return name


def _sent(value: Value) -> bytes:
    """In PostgreSQL's text format, but for bytes."""
    if isinstance(value, bytes):
        return value
    return (value.isoformat() if isinstance(value, datetime) else str(value)).encode()
