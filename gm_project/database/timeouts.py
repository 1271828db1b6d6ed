"""How long the standalone project waits for PostgreSQL.

Two environment variables choose: `DATABASE_FOR`, which `manage.py` sets to `commands`, and
`DATABASE_TIMEOUTS`, which is `off` in front of a pooler.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from django.core.exceptions import ImproperlyConfigured


class Timeouts(NamedTuple):
    """The bounds of a process. Those of the server are in milliseconds, as it has them; 0: none."""

    connect: int
    """Seconds for connecting to one address (libpq's `connect_timeout`)."""
    unacknowledged: int
    """Milliseconds after which data that nobody acknowledged ends a connection."""
    answer: int | None
    """Seconds that this process waits for one answer; None: any time."""
    statement: int
    lock: int
    idle_in_transaction: int

    def of_client(self) -> dict[str, Any]:
        """The options that this process applies itself, also in front of a pooler."""
        return {
            "connect_timeout": self.connect,
            "tcp_user_timeout": self.unacknowledged,
            "answer_timeout": self.answer,
            # A probe after 5 s without a packet, then each second: 3 that are lost end it.
            "keepalives": 1,
            "keepalives_idle": 5,
            "keepalives_interval": 1,
            "keepalives_count": 3,
        }

    def of_server(self) -> str:
        """The `options` of a connection: what the server is to apply to its session."""
        return (
            f"-c statement_timeout={self.statement} -c lock_timeout={self.lock}"
            f" -c idle_in_transaction_session_timeout={self.idle_in_transaction}"
        )


# An answer takes longer than the server's own timeouts only if the server does not run.
REQUESTS: Final = Timeouts(3, 3_000, 7, 5_000, 2_000, 10_000)
COMMANDS: Final = Timeouts(10, 30_000, None, 0, 0, 0)
"""Of imports, purges, migrations and exports, which take as long as they take."""
PAGES: Final = 30
"""Seconds that a statement of a page of the admin may take."""
PURPOSES: Final = {"requests": REQUESTS, "commands": COMMANDS}
"""By the value of `DATABASE_FOR`."""
SWITCH: Final = ("on", "off")
"""The values of `DATABASE_TIMEOUTS`: whether the server is asked to apply its part."""


def with_timeouts(given: dict[str, Any], purpose: str, switch: str) -> dict[str, Any]:
    """The options of a connection: those of a URL, and the bounds where it does not say otherwise.

    ImproperlyConfigured: `purpose` or `switch` is not one of those above.
    """
    _check("DATABASE_FOR", purpose, PURPOSES)
    _check("DATABASE_TIMEOUTS", switch, SWITCH)
    timeouts = PURPOSES[purpose]
    options = timeouts.of_client() | given
    if switch == "on":
        # Of two values of one parameter PostgreSQL takes the last.
        options["options"] = f"{timeouts.of_server()} {given.get('options', '')}".strip()
    return options


def are_in_force(database: dict[str, Any]) -> bool:
    """Whether the server applies the bounds of requests, since this project asked it to.

    Only then may a session set others: behind a pooler it would set them for other clients too.
    """
    return REQUESTS.of_server() in database.get("OPTIONS", {}).get("options", "")


def _check(variable: str, value: str, known: Iterable[str]) -> None:
    if value not in known:
        raise ImproperlyConfigured(f"{variable} must be one of: {', '.join(known)}.")
