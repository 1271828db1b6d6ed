"""System checks that ask the database: `migrate` runs them, and `check --database default`."""

from collections.abc import Callable
from typing import Any, Final

from django.core.checks import CheckMessage
from django.core.checks import Warning as CheckWarning

from ..db import clock
from .asking import of_database

FULL, EXTRA = 2, 3
NEEDED: Final = {"wal": FULL, "truncate": FULL, "persist": FULL, "delete": EXTRA}
"""The least `synchronous` at which a commit is on the disk, by `journal_mode`. Other modes cannot
guarantee it.

https://www.sqlite.org/pragma.html#pragma_synchronous
"""


@of_database()
def check_database(connection: Any) -> list[CheckMessage]:
    """Warnings where a commit may be acknowledged before it is on the disk (W004, W006), and where
    SQLite may fail a transaction that reads before it writes (W005).
    """
    return _CHECKS.get(connection.vendor, lambda _: [])(connection)


@of_database()
def check_clock(connection: Any) -> list[CheckMessage]:
    """A warning where this server's clock differs from the database's by more than is tolerated.

    Grants and tokens are not affected, but logs and TLS use the server's clock.
    """
    seconds = clock.difference().total_seconds()
    if abs(seconds) <= clock.CLOCK_TOLERANCE.total_seconds():
        return []
    message = f"This server's clock is {seconds:+.0f} s off the database's clock."
    hint = "Grants and tokens take the database's time. Set the clocks of both by NTP."
    return [CheckWarning(message, hint=hint, id="grant_management.W002")]


def _check_sqlite(connection: Any) -> list[CheckMessage]:
    if connection.is_in_memory_db():
        return []
    with connection.cursor() as cursor:
        mode = cursor.execute("PRAGMA journal_mode").fetchone()[0]
        synchronous = cursor.execute("PRAGMA synchronous").fetchone()[0]
    messages: list[CheckMessage] = []
    if synchronous < NEEDED.get(mode, EXTRA + 1):
        message = f"SQLite acknowledges what may not be on the disk ({mode=}, {synchronous=})."
        hint = "Set OPTIONS['init_command'] to 'PRAGMA journal_mode=WAL; PRAGMA synchronous=EXTRA'."
        messages.append(CheckWarning(message, hint=hint, id="grant_management.W004"))
    if connection.transaction_mode not in ("IMMEDIATE", "EXCLUSIVE"):
        message = (
            "SQLite fails a transaction that reads, then writes while another one has written."
        )
        hint = "Set OPTIONS['transaction_mode'] to 'IMMEDIATE'."
        messages.append(CheckWarning(message, hint=hint, id="grant_management.W005"))
    return messages


def _check_postgresql(connection: Any) -> list[CheckMessage]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('fsync'), current_setting('synchronous_commit')")
        off = "off" in cursor.fetchone()
    message = "PostgreSQL acknowledges what may not be on the disk."
    hint = "Set fsync and synchronous_commit to on."
    return [CheckWarning(message, hint=hint, id="grant_management.W006")] if off else []


_CHECKS: Final[dict[str, Callable[[Any], list[CheckMessage]]]] = {
    "sqlite": _check_sqlite,
    "postgresql": _check_postgresql,
}
