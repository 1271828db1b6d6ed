"""The one clock is the database's: several servers never compare their own clocks.

The statements of the hot path select the time along with their rows (`db.joined`); other code
calls `now`. SQLite has only the clock of the process, and all its processes run on one machine.
"""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from .primary import connection

CLOCK_TOLERANCE: Final = timedelta(seconds=5)
"""How far a clock may differ from the database's: a server's clock, or that of a new primary."""

TRUSTED_FOR: Final = timedelta(minutes=1)
"""How long `estimate` uses a measured difference before it is measured again."""

logger = logging.getLogger("grant_management")
_warned = False
_seen: tuple[datetime, timedelta] | None = None


def now(asked: Any = None) -> datetime:
    """The database's time: 1 statement on PostgreSQL, none on SQLite.

    `asked` is a connection to it; None: the calling thread's.
    """
    asked = asked or connection()
    if asked.vendor == "sqlite":
        return datetime.now(UTC)
    with asked.cursor() as cursor:
        cursor.execute(f"SELECT {column(asked.vendor)}")
        moment: datetime = cursor.fetchone()[0]
    watch(moment)
    return moment


def estimate() -> datetime:
    """An estimate of the database's time, for display and never for a decision: at most one
    statement a minute.
    """
    own = datetime.now(UTC)
    if _seen is None or own - _seen[0] > TRUSTED_FOR:
        return now()
    return own - _seen[1]


def column(vendor: str) -> str:
    """The SQL expression for the database's time; "" on SQLite, where the process has the time."""
    # Not now(), which is the time at which the transaction began.
    return "" if vendor == "sqlite" else "clock_timestamp()"


def difference(asked: Any = None) -> timedelta:
    """How far this server's clock is ahead of the database's; below 0: behind it.

    `asked` is a connection to it; None: the calling thread's.
    """
    before = datetime.now(UTC)
    told = now(asked)
    # The database read its clock somewhere in between: assume halfway.
    return before + (datetime.now(UTC) - before) / 2 - told


def watch(told: datetime) -> None:
    """Remember how far this server's clock differs from `told`, the database's time.

    A difference beyond `CLOCK_TOLERANCE` is logged, once for each process.
    """
    global _seen, _warned
    own = datetime.now(UTC)
    ahead = own - told
    _seen = own, ahead
    if not _warned and abs(ahead) > CLOCK_TOLERANCE:
        _warned = True
        logger.warning(_OFF, ahead.total_seconds())


def is_future(moment: Any, told: datetime) -> bool:
    """Whether a time is further ahead of `told`, the database's time, than clocks may differ."""
    return isinstance(moment, datetime) and moment > told + CLOCK_TOLERANCE


_OFF: Final = (
    "This server's clock is %.0f s ahead of the database's (below 0: behind it). Grants and tokens"
    " take the database's time; set this server's clock right, or its logs and TLS will mislead."
)
