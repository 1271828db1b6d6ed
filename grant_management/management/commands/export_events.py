"""`export_events --service N [--after CURSOR] [--follow]`."""

import time
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser
from django.db import Error

from ...db.failures import settle, tell
from ...events.delivering import number_waiting
from ...events.stream import Streamed, read
from ...fields import members as m
from ...models import Service
from ...protocol.strict_json import dumps
from ..base import GrantManagementCommand, find_service, taken

PAUSE: Final = 1.0
"""Seconds between two looks where no event came."""


class Command(GrantManagementCommand):
    """Writes the events of a service as JSON Lines."""

    help = (
        "Write the events of a service to standard output as JSON Lines, each with a cursor to"
        " resume after. No event is passed over; after a crash the last ones may come again. Run"
        " `publish_events` once before. With `--follow` it goes on after a time without the"
        " database."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the service, the cursor, and `--follow`."""
        super().add_arguments(parser)
        parser.add_argument("--service", type=int, required=True, metavar="N", help="its number")
        parser.add_argument(
            "--after", metavar="CURSOR", help="the cursor of the last line that was read"
        )
        parser.add_argument(
            "--follow", action="store_true", help="go on with events as they come, until ended"
        )

    def handle(self, **options: Any) -> None:
        """Write the lines, each at once. CommandError: the service does not publish its events."""
        service = find_service(options["service"], also_deleted=True)
        if not service.publishes_events:
            raise CommandError(f"Run publish_events --service {service.pk} first.")
        self._after = taken(options, m.EVENTS_AFTER) or 0
        write = self._try_to_write if options["follow"] else self._write_all
        try:
            write(service)
            while options["follow"]:
                time.sleep(PAUSE)
                write(service)
        except KeyboardInterrupt:
            return

    def _try_to_write(self, service: Service) -> None:
        """Write what is there. Where the database is away or busy, that is one line in the log."""
        try:
            self._write_all(service)
        except Error as error:
            failure = settle(error)
            if failure.is_bug:
                raise
            tell(error, failure, "The export of events")

    def _write_all(self, service: Service) -> None:
        """Write what is there, after the line that was written last."""
        while number_waiting():
            pass
        for one in read(service, self._after):
            self._write(one)

    def _write(self, one: Streamed) -> None:
        self.stdout.write(dumps(one.shown()))
        self.stdout.flush()
        self._after = one.cursor
