"""Refuses writes while commits wait for a synchronous standby that does not come.

Such a commit keeps a session, its locks and a thread of this process. It is done as far as the
primary is concerned, and to cancel it would report success: PostgreSQL then acknowledges what only
the primary has. So its connection is closed, and its session waits on without a client. As long as
one does, the database says so, and no other write has to find it out by waiting.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, Final

from ..commits import NoStandby

PAUSE: Final = 0.2
"""Seconds between two questions."""
_WAITS: Final = (
    "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE usename = session_user"
    " AND wait_event = 'SyncRep' AND state_change < clock_timestamp() - interval '1 second')"
)
"""Whether a session of this role waits for a standby: those of other roles are not shown to it."""


class CommitGate:
    """Open, or, after a commit that waited in vain, shut until no session waits any more."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._is_shut = False
        self._next = 0.0

    def shut(self) -> None:
        """Note that a commit waited in vain."""
        self._is_shut = True

    def check(self, connection: Any) -> None:
        """Pass, outside of a transaction. NoStandby: commits wait."""
        if not self._is_shut:
            return
        if not self._may_ask() or _waits(connection):
            raise NoStandby("commits wait for a standby")
        self._is_shut = False

    def _may_ask(self) -> bool:
        """Whether this caller asks; others are refused at once."""
        with self._lock:
            now = self._clock()
            if now < self._next:
                return False
            self._next = now + PAUSE
            return True


def _waits(connection: Any) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_WAITS)
        return bool(cursor.fetchone()[0])
