"""Finds a pooler, such as PgBouncer, between this process and PostgreSQL."""

import contextlib
from typing import Any, Final

ROUNDS: Final = 5


def is_pooled(connection: Any) -> bool:
    """Whether a pooler stands between: a proxy that only passes bytes on, such as HAProxy, does not
    count.

    PostgreSQL tells a client the process that serves it (BackendKeyData), to cancel with. A pooler
    changes that process from time to time, so it makes a number up.
    """
    connection.ensure_connection()
    driver = connection.connection
    return bool(driver.info.backend_pid != _backend(connection))


def pools_transactions(connection: Any) -> bool:
    """Whether it is seen that a connection keeps its session only for one transaction.

    Then two connections meet in one session while both are open. Other clients may hide that; a
    pooler that gives each connection a session of its own never shows it.
    """
    if not is_pooled(connection):
        return False
    with contextlib.closing(connection.copy()) as other:
        return any(_backend(connection) == _backend(other) for _ in range(ROUNDS))


def _backend(connection: Any) -> int:
    """The number of the process that serves the connection now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        number: int = cursor.fetchone()[0]
        return number
