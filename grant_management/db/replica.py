"""A read replica, for what decides nothing: lists, counts, the overview and exports.

`READ_REPLICA` names it. How far it is behind is measured against the primary's write-ahead log:
once it has replayed what the primary had written at some moment, it shows at least the state of
then. A replica that is gone, is no standby, or is too far behind is not used.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final, TypeVar

from django.db import DatabaseError, InterfaceError, connections

from ..conf import app_settings
from . import primary
from .failures import settle

T = TypeVar("T")

FARTHEST: Final = 10.0
"""Seconds that a replica may be behind."""
KEPT_FOR: Final = 1.0
"""Seconds that a measurement is used again."""
_WRITTEN: Final = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"
_REPLAYED: Final = (
    "SELECT pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint WHERE pg_is_in_recovery()"
)


class Lag:
    """How far a replica is behind: compares what it has replayed with what was written when."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._written = deque[tuple[float, int]]()

    def behind(self, written: int, replayed: int | None) -> float | None:
        """Seconds; None: unknown, or too far. Both are bytes of the log, at this moment."""
        now = self._clock()
        self._written.append((now, written))
        while self._written[0][0] < now - FARTHEST:
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
        self._known: float | None = None
        self._measured_at: float | None = None

    def behind(self) -> float | None:
        """Seconds that it may be behind; None: it may not be used. Asks at most once a second."""
        with self._lock:
            now = time.monotonic()
            if self._measured_at is None or now - self._measured_at >= KEPT_FOR:
                self._known = self._lag.behind(_number(primary.alias(), _WRITTEN), self._replayed())
                self._measured_at = now
                return self._known
            return None if self._known is None else self._known + now - self._measured_at

    def _replayed(self) -> int | None:
        try:
            replayed: int | None = _number(self._alias, _REPLAYED)
            return replayed
        except (DatabaseError, InterfaceError) as error:
            settle(error)
            return None


@contextmanager
def reading() -> Iterator[float | None]:
    """In this context query sets read from the replica. Gives the seconds that it may be behind.

    None: there is no replica that may be used, and they read from the primary. Rows that are locked
    are read from the primary in any case.
    """
    alias = app_settings.read_replica
    behind = None if alias is None else _replica(alias).behind()
    if behind is None:
        yield None
        return
    token = primary.READS.set(alias)
    try:
        yield behind
    finally:
        primary.READS.reset(token)


def read(work: Callable[[], T]) -> tuple[T, float | None]:
    """What `work` reads, and the seconds that it may be behind; None: it is the primary's.

    `work` is called again with the primary where the replica fails: a standby cancels a query that
    keeps it from replaying.
    """
    try:
        with reading() as behind:
            return work(), behind
    except (DatabaseError, InterfaceError) as error:
        if app_settings.read_replica is None:
            raise
        settle(error)
    return work(), None


def connection() -> Any:
    """The connection that query sets read from in this context."""
    return connections[primary.READS.get() or primary.alias()]


@cache
def _replica(alias: str) -> Replica:
    return Replica(alias)


def _number(alias: str, sql: str) -> Any:
    """The first value of the first row; None: there is no row."""
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return (cursor.fetchone() or (None,))[0]
