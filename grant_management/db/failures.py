"""Classifies database errors: the database is away, read-only or busy, a conflict, or our bug.

The drivers report a code: a SQLSTATE (PostgreSQL's Appendix A) or a result code of SQLite. All code
that reports such an error to a caller, an operator or the log uses this module.
"""

import logging
from typing import Any, Final, NamedTuple, TypeGuard

from django.db import Error, InterfaceError, OperationalError, connections

from .. import observation
from ..conf import DOCUMENTS
from ..protocol.results import Result
from ..request_log import frames_of
from .commits import NoStandby, OutcomeUnknown
from .write_slots import NoWriteSlot

logger = logging.getLogger("grant_management")


class Failure(NamedTuple):
    """The result that callers get, and what an operator can do about it."""

    result: Result
    advice: str
    kind: str
    """What metrics call it."""
    # The connection is of no use any more: close it, and the next request opens a new one.
    closes: bool = False

    @property
    def is_bug(self) -> bool:
        """Whether it is a fault of this server: a bug, or a database that is not migrated."""
        return self.result is Result.SERVER_FAILED


_AWAY: Final = Failure(
    Result.DATABASE_AWAY,
    "The database cannot be reached: check that it runs, and DATABASES (standalone: DATABASE_URL).",
    closes=True,
    kind="away",
)
_REJECTED: Final = Failure(
    Result.DATABASE_AWAY,
    "A pooler rejects a parameter of the connection: leave 'options' out of DATABASES (standalone:"
    f" set DATABASE_TIMEOUTS=off; {DOCUMENTS}/reference/database.md).",
    closes=True,
    kind="rejected",
)
_READ_ONLY: Final = Failure(
    Result.DATABASE_AWAY,
    "The database takes no writes: it is a standby, or was set read-only. Point DATABASES"
    " (standalone: DATABASE_URL) at the primary.",
    closes=True,
    kind="read_only",
)
_FULL: Final = Failure(
    Result.DATABASE_AWAY,
    "The database has no space to write to: make room on its disk.",
    kind="full",
)
_LOCKED: Final = Failure(
    Result.DATABASE_BUSY,
    "A lock was not free in time: look for a transaction that stays open, or a long migration.",
    kind="locked",
)
_SLOW: Final = Failure(
    Result.DATABASE_BUSY,
    "A statement was cancelled, or took longer than the database's timeout: look at its load.",
    kind="slow",
)
_IDLE: Final = Failure(
    Result.DATABASE_BUSY,
    "The database ended a transaction that took too long: look at the load of this server.",
    closes=True,
    kind="idle",
)
_CROWDED: Final = Failure(
    Result.DATABASE_BUSY,
    "The database takes no more connections: raise its limit, or run fewer workers.",
    closes=True,
    kind="crowded",
)
_NO_SLOT: Final = Failure(
    Result.DATABASE_BUSY,
    "As many writes as may run at once (WRITES_AT_ONCE) wait: look for a transaction that stays"
    " open, or a long migration.",
    kind="no_slot",
)
_NO_STANDBY: Final = Failure(
    Result.DATABASE_BUSY,
    "Commits wait for a synchronous standby, and none answers: start one, or look why none streams"
    " (pg_stat_replication).",
    kind="no_standby",
)
_UNKNOWN: Final = Failure(
    Result.OUTCOME_UNKNOWN,
    "A connection ended during a commit, which may have been done: look whether a synchronous"
    " standby is there (pg_stat_replication), and whether the primary changed.",
    closes=True,
    kind="unknown",
)
_CONFLICT: Final = Failure(
    Result.DATABASE_CONFLICT,
    "Another transaction changed the same rows: nothing to do, unless it happens often.",
    kind="conflict",
)
_BUG: Final = Failure(
    Result.SERVER_FAILED,
    "This is a bug: report it, with the frames that the log has.",
    kind="bug",
)

_NOT_MIGRATED: Final = Failure(
    Result.SERVER_FAILED,
    "The database lacks a table or a column: run 'migrate' of this version.",
    kind="not_migrated",
)

_OF_SQLSTATE: Final = {
    "08": _AWAY,  # connection exception
    "25006": _READ_ONLY,  # read_only_sql_transaction
    "25P03": _IDLE,  # idle_in_transaction_session_timeout
    "25P04": _IDLE,  # transaction_timeout
    "40001": _CONFLICT,  # serialization_failure
    "40P01": _CONFLICT,  # deadlock_detected
    "42703": _NOT_MIGRATED,  # undefined_column
    "42P01": _NOT_MIGRATED,  # undefined_table
    "53100": _FULL,  # disk_full
    "53200": _SLOW,  # out_of_memory
    "53300": _CROWDED,  # too_many_connections
    "55006": _LOCKED,  # object_in_use
    "55P03": _LOCKED,  # lock_not_available
    "57014": _SLOW,  # query_canceled, by a timeout or an administrator
    "57P": _AWAY,  # the server stops, crashed, starts, or ended the session
    "58": _AWAY,  # system error
}
"""Failures by SQLSTATE, or by the longest prefix of it in this table; any other is a bug."""

_OF_OURS: Final[dict[type[Error], Failure]] = {
    NoWriteSlot: _NO_SLOT,
    NoStandby: _NO_STANDBY,
    OutcomeUnknown: _UNKNOWN,
}
"""Failures by the errors of this app's own."""

_OF_SQLITE: Final = {
    3: _READ_ONLY,  # SQLITE_PERM
    5: _LOCKED,  # SQLITE_BUSY
    6: _LOCKED,  # SQLITE_LOCKED
    8: _READ_ONLY,  # SQLITE_READONLY
    9: _SLOW,  # SQLITE_INTERRUPT
    10: _AWAY,  # SQLITE_IOERR
    11: _AWAY,  # SQLITE_CORRUPT
    13: _FULL,  # SQLITE_FULL
    14: _AWAY,  # SQLITE_CANTOPEN
    15: _LOCKED,  # SQLITE_PROTOCOL
    26: _AWAY,  # SQLITE_NOTADB
}
"""Failures by primary result code, which is the lowest byte of an extended one."""
_SQLITE_ERROR: Final = 1
_BUSY_SNAPSHOT: Final = 517
"""SQLITE_BUSY_SNAPSHOT: another connection wrote after this transaction's first read. It can be
tried again from its start."""

# SQLite has one code for every fault of a statement, so only its text tells a missing table.
_NOT_MIGRATED_WORDS: Final = ("no such table", "no such column", "has no column named")
# libpq does not pass on the SQLSTATE of a refused connection, so the server's text is searched.
_CROWDED_WORDS: Final = ("too many clients", "connection slots", "too many connections")
# PgBouncer, in src/client.c: of the parameters that it does not know, and of `options`.
_REJECTED_WORDS: Final = ("unsupported startup parameter",)


def classify(error: BaseException) -> Failure:
    """The failure that an error stands for; an error of no database is a bug."""
    for kind, failure in _OF_OURS.items():
        if isinstance(error, kind):
            return failure
    if state := sqlstate(error):
        return _of_sqlstate(state)
    if (number := _of_cause(error, "sqlite_errorcode")) is not None:
        return _of_sqlite(number, str(error))
    if isinstance(error, OperationalError | InterfaceError):
        return _of_text(str(error))
    return _BUG


def sqlstate(error: BaseException) -> str:
    """The SQLSTATE of an error of psycopg 3 or psycopg2; "" where there is none."""
    return _of_cause(error, "sqlstate") or _of_cause(error, "pgcode") or ""


def is_of_database(error: BaseException | None) -> TypeGuard[Error]:
    """Whether it is one of Django's database errors."""
    return isinstance(error, Error)


def settle(error: BaseException, alias: str | None = None) -> Failure:
    """The failure that an error stands for; leaves the connections of this thread in a known state.

    If one was lost or takes no writes, all that are outside of a transaction are closed (an error
    does not tell which connection it came from; `alias`: the caller does), so that the next request
    reaches the restarted database or the new primary. After any other failure they stay open: their
    transaction has been rolled back by then.
    """
    failure = classify(error)
    if observation.observer is not None and is_of_database(error):
        observation.observer.failed(failure.kind)
    if failure.closes:
        for connection in connections.all(initialized_only=True):
            if alias in (None, connection.alias) and not connection.in_atomic_block:
                _close(connection)
    return failure


def described(error: BaseException, failure: Failure) -> str:
    """One line with the result code, the error's class and the advice.

    It never has the error's text, which may quote a value of the request.
    """
    return f"[{failure.result.code}] {_kind(error)}. {failure.advice}"


def tell(error: BaseException, failure: Failure, where: str) -> None:
    """Log one line that says what failed and what to do; for a bug, the stack frames too."""
    line = f"{where} failed: {described(error, failure)}"
    if failure.is_bug:
        line += "".join(f"\n  {frame}" for frame in frames_of(error))
    logger.error("%s", line)


def _of_cause(error: BaseException, name: str) -> Any:
    """The attribute of the error or of its causes, None if absent: Django wraps driver errors."""
    cause: BaseException | None = error
    while cause is not None:
        if (value := getattr(cause, name, None)) is not None:
            return value
        cause = cause.__cause__
    return None


def _of_sqlstate(state: str) -> Failure:
    known = (state[:length] for length in (5, 3, 2) if state[:length] in _OF_SQLSTATE)
    return _OF_SQLSTATE.get(next(known, ""), _BUG)


def _of_text(text: str) -> Failure:
    if _has_any(_REJECTED_WORDS, text):
        return _REJECTED
    return _CROWDED if _has_any(_CROWDED_WORDS, text) else _AWAY


def _of_sqlite(number: int, text: str) -> Failure:
    if number == _BUSY_SNAPSHOT:
        return _CONFLICT
    lacks = number == _SQLITE_ERROR and _has_any(_NOT_MIGRATED_WORDS, text)
    return _NOT_MIGRATED if lacks else _OF_SQLITE.get(number & 0xFF, _BUG)


def _has_any(words: tuple[str, ...], text: str) -> bool:
    return any(word in text for word in words)


def _kind(error: BaseException) -> str:
    """The error's class, with the code that the database gave."""
    code = sqlstate(error) or _of_cause(error, "sqlite_errorname")
    return f"{type(error).__qualname__} ({code})" if code else type(error).__qualname__


def _close(connection: Any) -> None:
    """Close the driver's own connection first: a pool would otherwise hand it out again."""
    if connection.vendor == "postgresql" and connection.connection is not None:
        connection.connection.close()
    connection.close()
