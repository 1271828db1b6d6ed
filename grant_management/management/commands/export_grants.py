"""`export_grants [--service N] [--output FILE]`."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any, TextIO

from django.core.management.base import CommandError, CommandParser

from ...db.replica import reading
from ...db.snapshot import snapshot
from ...interchange.end_record import end_record
from ...interchange.exporter import records, total
from ..base import GrantManagementCommand, find_service
from ..progress import progress
from ..whole_file import whole_file


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
        number = options["service"]
        service = None if number is None else find_service(number, also_deleted=True)
        count = 0
        with (
            reading(),
            snapshot(),
            _opened(options["output"], self.stdout) as stream,
            progress("Exporting", total(service)) as advance,
        ):
            for record in records(service):
                stream.write(record + "\n")
                count += 1
                advance(1)
            stream.write(end_record(count) + "\n")
        said = f'{{"records": {count}}}' if options["json"] else f"Exported {count} records."
        self.stderr.write(said, self.style.SUCCESS)


@contextlib.contextmanager
def _opened(name: str, stdout: Any) -> Iterator[TextIO]:
    """The stream to write to. CommandError: the file cannot be written."""
    if name == "-":
        yield stdout
        return
    try:
        path = os.path.realpath(name)
        plain = os.path.isfile(path) or not os.path.exists(path)
        # A pipe or a device is written to directly: a finished file cannot replace it.
        with whole_file(path) if plain else open(path, "w", encoding="utf-8") as stream:
            yield stream
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}.") from None
