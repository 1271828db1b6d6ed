"""`export_grants [--service N] [--output FILE]`."""

import contextlib
import json
import os
from collections.abc import Iterator
from math import ceil
from typing import Any, Final, TextIO

from django.core.management.base import CommandError, CommandParser

from ...db import apart, replica
from ...db.snapshot import snapshot
from ...interchange.end_record import end_record
from ...interchange.exporter import records, total
from ...models import Service
from ..base import GrantManagementCommand, find_service
from ..progress import progress
from ..whole_file import whole_file

PATIENCE: Final = 2.0
"""Seconds to wait for a replica that this process knows nothing of yet."""


class Command(GrantManagementCommand):
    """Exports records."""

    help = (
        "Export organizations, services, clients, grants and tokens as JSON Lines, with digests in"
        " place of credentials: what `import_grants` reads. It loses nothing. The last record says"
        " how many there are; a file has its name once it is whole."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the service and the output file."""
        super().add_arguments(parser)
        parser.add_argument("--service", type=int, metavar="N", help="default: everything")
        parser.add_argument(
            "--output", default="-", metavar="FILE", help="default: standard output"
        )

    def handle(self, **options: Any) -> None:
        """Export the records. The count goes to standard error, since the records may go to
        standard output.
        """
        number, self._sent = options["service"], 0
        if number is None and apart.is_on():
            raise CommandError("Services live apart: name one with --service.")
        service = None if number is None else find_service(number, also_deleted=True)
        count, behind = replica.read(lambda: self._export(service, options["output"]), PATIENCE)
        if options["json"]:
            told = {"records": count} | ({} if behind is None else {"behind": round(behind, 1)})
            self.stderr.write(json.dumps(told))
            return
        said = f"Exported {count} records."
        if behind is not None:
            said += f" Read from a replica, which may be {ceil(behind)} s behind."
        self.stderr.write(said, self.style.SUCCESS)

    def _export(self, service: Service | None, output: str) -> int:
        """Write all records; how many. Called again where the replica failed: a file is begun anew.

        CommandError: a part was sent already, to what is no file.
        """
        if self._sent:
            raise CommandError("The replica failed. What was written is not whole: use --output.")
        count = 0
        with (
            snapshot(),
            _opened(output, self.stdout) as (stream, is_file),
            progress("Exporting", total(service)) as advance,
        ):
            for record in records(service):
                stream.write(record + "\n")
                count += 1
                self._sent = 0 if is_file else count
                advance(1)
            stream.write(end_record(count) + "\n")
        return count


@contextlib.contextmanager
def _opened(name: str, stdout: Any) -> Iterator[tuple[TextIO, bool]]:
    """The stream to write to, and whether it is a file, which is there once it is whole.

    CommandError: the file cannot be written.
    """
    if name == "-":
        yield stdout, False
        return
    try:
        path = os.path.realpath(name)
        plain = os.path.isfile(path) or not os.path.exists(path)
        # A pipe or a device is written to directly: a finished file cannot replace it.
        with whole_file(path) if plain else open(path, "w", encoding="utf-8") as stream:
            yield stream, plain
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}.") from None
