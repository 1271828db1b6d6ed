"""Whether the database can carry the processes of a deployment: their numbers are given."""

from typing import Any, NamedTuple

from django.core.checks import CheckMessage

from ..db.pooler import is_pooled
from .advice import found


class Processes(NamedTuple):
    """What serves; None: not known."""

    workers: int | None
    threads: int | None
    servers: int

    @property
    def total(self) -> int:
        """All workers; 0 where that is not known."""
        return (self.workers or 0) * self.servers


def check_writers(connection: Any, processes: Processes) -> list[CheckMessage]:
    """W014: SQLite has one writer at a time, so that more workers wait for each other."""
    if connection.vendor != "sqlite" or processes.total < 2:
        return []
    return [found("W014", f"{processes.total} workers share one SQLite database.")]


def check_connections(connection: Any, processes: Processes) -> list[CheckMessage]:
    """W018: the workers may open more connections than PostgreSQL takes.

    One for each thread, and one of each worker for `/readyz`. A pooler has limits of its own.
    """
    needed = processes.total * ((processes.threads or 0) + 1)
    if connection.vendor != "postgresql" or not processes.threads or is_pooled(connection):
        return []
    limit = _limit(connection)
    if needed <= limit:
        return []
    return [found("W018", f"The workers may open {needed} connections; PostgreSQL takes {limit}.")]


def _limit(connection: Any) -> int:
    """The connections that this role may open to this database, besides those that are reserved.

    `reserved_connections` exists from PostgreSQL 16 on; a limit of -1 is none.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LIMITS)
        limits: tuple[int, ...] = cursor.fetchone()
    return min(number for number in limits if number >= 0)


_LIMITS = """
SELECT current_setting('max_connections')::int
         - current_setting('superuser_reserved_connections')::int
         - coalesce(current_setting('reserved_connections', true)::int, 0),
       (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user),
       (SELECT datconnlimit FROM pg_database WHERE datname = current_database())
"""
