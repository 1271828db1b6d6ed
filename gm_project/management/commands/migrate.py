"""`migrate`, one process at a time."""

import sqlite3
import time
from typing import Any, Final

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import Error, OperationalError

from gm_project.database.exclusive import alone
from gm_project.database.migration_lock import take
from gm_project.database.short_locks import short_locks
from grant_management.db.failures import described, settle, sqlstate

TRIES: Final = 60
PAUSE: Final = 1.0
"""Seconds between two tries: who queued behind the lock comes first."""
LOCKED: Final = "55P03"
"""The SQLSTATE of a lock that was not free in time."""


class Command(migrate.Command):
    """Django's command, under a lock.

    Without one, two of them on an empty database both create each table, and one fails.
    """

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Migrate once no other process does; then there may be nothing left to do.

        The system checks run under the lock too: they may be what creates the database.
        CommandError: the database is away, busy or cannot be written. The line says what to do.
        """
        try:
            with alone(lambda: take(options["database"]), self._say_waiting):
                return self._try(*args, **options)
        except sqlite3.OperationalError as error:  # of the lock
            raise CommandError(
                f"The database cannot be kept there ({error}): DATABASE_URL has to name a file in"
                " a folder that exists and that this user can write."
            ) from None
        except Error as error:
            failure = settle(error)
            if failure.is_bug:  # such as a wrong migration, whose frames are wanted
                raise
            raise CommandError(described(error, failure)) from None

    def _try(self, *args: Any, **options: Any) -> str | None:
        """Migrate; again where a lock was not free. What was done by then is not done twice."""
        for left in reversed(range(TRIES)):
            try:
                with short_locks(options["database"]):
                    return super().execute(*args, **options)
            except OperationalError as error:
                if not left or sqlstate(error) != LOCKED:
                    raise
                self.stderr.write("A lock was not free in time: trying again.")
                time.sleep(PAUSE)
        raise AssertionError("the last try returns or raises")

    def _say_waiting(self) -> None:
        self.stderr.write("Another process migrates this database: waiting for it.")
