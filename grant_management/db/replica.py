"""A read replica, for what decides nothing: lists, counts, the overview and exports.

`READ_REPLICA` names it. How far it is behind is measured against the primary's write-ahead log:
once it has replayed what the primary had written at some moment, it shows at least the state of
then. The connection that reads is asked, since another may lead to another standby. One that is
gone, is no standby, or is too far behind is not used.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from functools import cache
from typing import Any, Final, TypeVar

from django.db import DatabaseError, InterfaceError, connections

from ..conf import app_settings
from . import apart, primary
from .failures import settle
from .postgresql.longer import longer_statements

T = TypeVar("T")

FARTHEST: Final = 10.0
"""Seconds that a replica may be behind."""
KEPT_FOR: Final = 1.0
"""Seconds for which the primary is not asked again."""
PAUSE: Final = 5.0
"""Seconds for which a replica that failed is not used."""
POLLED: Final = 0.1
"""Seconds between two questions of whoever waits for a replica."""
SECONDS: Final = ContextVar[int | None]("SECONDS", default=None)
"""Seconds that a statement may take at the replica; None: as its connection has it."""
_WRITTEN: Final = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"
_REPLAYED: Final = (
    "SELECT pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint WHERE pg_is_in_recovery()"
)


class Lag:
    """What the primary had written when: says how far behind it is what was replayed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._written = deque[tuple[float, int]]()

    def is_due(self) -> bool:
        """Whether the primary is to be asked again."""
        return not self._written or self._clock() - self._written[-1][0] >= KEPT_FOR

    def note(self, written: int) -> None:
        """The primary has written so many bytes of its log at this moment."""
        self._written.append((self._clock(), written))

    def behind(self, replayed: int | None) -> float | None:
        """Seconds; None: unknown, or too far. `replayed` are bytes of the log, at this moment."""
        now = self._clock()
        while self._written and self._written[0][0] < now - FARTHEST:
            self._written.popleft()
        if replayed is None:
            return None
        return min((now - at for at, then in self._written if then <= replayed), default=None)


class Replica:
    """The replica with an alias, for all threads of this process."""

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._lag = Lag()
        self._lock = threading.Lock()
        self._failed_at: float | None = None

    def behind(self) -> float | None:
        """Seconds that this thread's connection may be behind; None: it may not be used.

        Nobody waits for another thread that asks: one that does not answer would hold them all.
        """
        if self._is_paused() or not self._lock.acquire(blocking=False):
            return None
        try:
            if self._lag.is_due():
                self._lag.note(_number(primary.alias(), _WRITTEN))
            return self._lag.behind(self._replayed())
        finally:
            self._lock.release()

    def failed(self, error: BaseException) -> None:
        """Close this thread's connection to it, if it is of no use, and pause."""
        if settle(error, self._alias).closes:
            self._failed_at = time.monotonic()

    def _is_paused(self) -> bool:
        return self._failed_at is not None and time.monotonic() - self._failed_at < PAUSE

    def _replayed(self) -> int | None:
        try:
            replayed: int | None = _number(self._alias, _REPLAYED)
        except (DatabaseError, InterfaceError) as error:
            self.failed(error)
            return None
        return replayed


@contextmanager
def reading(patience: float = 0.0) -> Iterator[float | None]:
    """In this context query sets read from the replica. Gives the seconds that it may be behind.

    None: there is no replica that may be used, also not within `patience` seconds, and they read
    from the primary. Rows that are locked are read from the primary in any case.
    """
    # It is the first database's.
    alias = None if apart.is_away() else app_settings.read_replica
    behind = None if alias is None else _behind(_replica(alias), patience)
    if alias is None or behind is None:
        yield None
        return
    seconds = SECONDS.get()
    token = primary.READS.set(alias)
    try:
        with longer_statements(connections[alias], seconds) if seconds else nullcontext():
            yield behind
    finally:
        primary.READS.reset(token)


def read(work: Callable[[], T], patience: float = 0.0) -> tuple[T, float | None]:
    """What `work` reads, and the seconds that it may be behind; None: it is the primary's.

    `work` is called again with the primary where the replica fails: a standby cancels a query that
    keeps it from replaying.
    """
    behind = None
    try:
        with reading(patience) as behind:
            return work(), behind
    except (DatabaseError, InterfaceError) as error:
        if behind is None:
            raise
        _replica(app_settings.read_replica).failed(error)
    return work(), None


def connection() -> Any:
    """The connection that query sets read from in this context."""
    return connections[primary.READS.get() or primary.alias()]


def _behind(replica: Replica, patience: float) -> float | None:
    until = time.monotonic() + patience
    while (behind := replica.behind()) is None and time.monotonic() < until:
        time.sleep(POLLED)
    return behind


@cache
def _replica(alias: str) -> Replica:
    return Replica(alias)


def _number(alias: str, sql: str) -> Any:
    """The first value of the first row; None: there is no row."""
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return (cursor.fetchone() or (None,))[0]
