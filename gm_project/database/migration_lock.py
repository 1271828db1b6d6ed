"""The lock under which a database is migrated."""

from pathlib import Path
from typing import Final

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from .exclusive import Held, lock
from .private_files import file_of

NUMBER: Final = 8_392_750_166_231_407
"""The key of PostgreSQL's advisory lock: any number that nothing else in the database uses."""


class _Free:
    """The lock of a database that no other process can reach."""

    def close(self) -> None:
        """Do nothing: no lock was taken."""


def take(alias: str) -> Held | None:
    """The lock, held until it is closed. None: another process holds it."""
    if connections[alias].vendor == "postgresql":
        return _take_on_postgresql(connections.create_connection(alias))
    path = file_of(connections[alias].settings_dict["NAME"])
    return _Free() if path is None else lock(Path(f"{path}-migrate"))


def _take_on_postgresql(connection: BaseDatabaseWrapper) -> Held | None:
    """An advisory lock of a transaction, on a connection of its own.

    A pooler that hands out connections for one transaction each keeps this one until the
    transaction ends. A migration may create an index concurrently, which waits for every other
    snapshot. So the lock is tried for, not waited for; and the last statement is one without a
    snapshot, since in the extended protocol a SELECT keeps its snapshot until the next statement.
    """
    connection.set_autocommit(False)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [NUMBER])
        if cursor.fetchone() == (True,):
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            return connection
    connection.close()
    return None
