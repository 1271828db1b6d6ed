"""A connection of psycopg that waits for each answer for a bounded time.

PostgreSQL's own timeouts need a server that runs. A frozen one keeps its connections open, and the
kernel acknowledges what is sent to it, so neither `tcp_user_timeout` nor keepalives notice it.
"""

from typing import Any, Self, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout

T = TypeVar("T")


class NoAnswer(psycopg.OperationalError):
    """An answer took too long; the connection was closed, and nothing was cancelled."""


class Connection(psycopg.Connection[Any]):
    """A connection that is closed, with OperationalError, if an answer takes too long."""

    answer_timeout: float | None = None
    """Seconds that one answer may take; None: any time."""

    @classmethod
    def connect(  # type: ignore[override]
        cls, conninfo: str = "", *, answer_timeout: float | None = None, **options: Any
    ) -> Self:
        """Connect, as psycopg does. `answer_timeout` is in seconds; None: answers may take any
        time.
        """
        connection = super().connect(conninfo, **options)
        connection.answer_timeout = answer_timeout
        return connection

    def wait(self, gen: PQGen[T], *args: Any, **options: Any) -> T:
        """The result of an operation of psycopg, all of which wait here."""
        if self.answer_timeout is not None:
            options.setdefault("timeout", self.answer_timeout)
        try:
            return super().wait(gen, *args, **options)
        except _WaitTimeout:
            # An answer that comes later would be taken for that of the next statement.
            self.pgconn.finish()
            raise NoAnswer("the database did not answer in time") from None
