"""`migrate`, one process at a time."""

from typing import Any

from django.core.management.commands import migrate

from gm_project.database.exclusive import alone
from gm_project.database.migration_lock import take


class Command(migrate.Command):
    """Django's command, under a lock.

    Without one, two of them on an empty database both create each table, and one fails.
    """

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Migrate once no other process does; then there may be nothing left to do.

        The system checks run under the lock too: they may be what creates the database.
        """
        with alone(lambda: take(options["database"]), self._say_waiting):
            return super().execute(*args, **options)

    def _say_waiting(self) -> None:
        self.stderr.write("Another process migrates this database: waiting for it.")
