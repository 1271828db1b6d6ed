"""One clock: the database's (contract: several servers never compare their own clocks).

The statements of the hot path bring the time with them (`db.joined`); what runs beside it asks.
SQLite has no clock but that of its process, and all its processes share one machine.
"""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from .primary import connection

CLOCK_TOLERANCE: Final = timedelta(seconds=5)
"""How far two clocks may differ that should agree: a server's, or that of a new primary."""

TRUSTED_FOR: Final = timedelta(minutes=1)
"""How long a difference that was seen is taken for what it is."""

logger = logging.getLogger("grant_management")
_warned = False
_seen: tuple[datetime, timedelta] | None = None


def now() -> datetime:
    """The database's time: 1 statement on PostgreSQL, none on SQLite."""
    asked = connection()
    if asked.vendor == "sqlite":
        return datetime.now(UTC)
    with asked.cursor() as cursor:
        cursor.execute(f"SELECT {column(asked.vendor)}")
        moment: datetime = cursor.fetchone()[0]
    watch(moment)
    return moment


def estimate() -> datetime:
    """The database's time as far as this process knows it, to show and never to decide: no
    statement, but one a minute.
    """
    own = datetime.now(UTC)
    if _seen is None or own - _seen[0] > TRUSTED_FOR:
        return now()
    return own - _seen[1]


def column(vendor: str) -> str:
    """What a statement selects to bring the time with it; "" where the process has that clock."""
    return "" if vendor == "sqlite" else "clock_timestamp()"


def difference() -> timedelta:
    """How far this server's clock is ahead of the database's; below 0: behind it."""
    before = datetime.now(UTC)
    told = now()
    return before + (datetime.now(UTC) - before) / 2 - told


def watch(told: datetime) -> None:
    """Note how far this server's clock is off; log once where that is more than is tolerated."""
    global _seen, _warned
    own = datetime.now(UTC)
    ahead = own - told
    _seen = own, ahead
    if not _warned and abs(ahead) > CLOCK_TOLERANCE:
        _warned = True
        logger.warning(_OFF, ahead.total_seconds())


def is_future(moment: Any, told: datetime) -> bool:
    """Whether a stamp lies further ahead than clocks may differ."""
    return isinstance(moment, datetime) and moment > told + CLOCK_TOLERANCE


_OFF: Final = (
    "This server's clock is %.0f s ahead of the database's (below 0: behind it). Grants and tokens"
    " take the database's time; set this server's clock right, or its logs and TLS will mislead."
)
