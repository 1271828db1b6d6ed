"""`import_grants FILE` (or `-`)."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import CommandError, CommandParser

from ...conf import DOCUMENTS
from ...db import apart
from ...fields import members as m
from ...interchange.end_record import End, Error
from ...interchange.importer import BadBatch, Importer, batches
from ...interchange.read_ahead import ahead
from ..base import GrantManagementCommand, taken
from ..progress import progress


class Command(GrantManagementCommand):
    """Imports records."""

    help = (
        "Import organizations, services, clients, grants and tokens from JSON Lines. Safe to"
        " interrupt and to run again: known records are updated, and nothing comes back to life."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the file, the size of a batch, and what to do about bad records."""
        super().add_arguments(parser)
        parser.add_argument("file", metavar="FILE", help="JSON Lines; - is standard input")
        parser.add_argument(
            "--service",
            type=int,
            metavar="N",
            help="where services live apart: the one whose database it goes to; default: the first",
        )
        parser.add_argument(
            "--batch-size", type=int, default=10_000, metavar="LINES", help="in a transaction"
        )
        parser.add_argument(
            "--on-error",
            choices=["stop", "skip"],
            default="stop",
            help="stop: roll back the batch in hand; skip: keep the good records. Exit code 1.",
        )

    def handle(self, **options: Any) -> None:
        """Import the records, and print how many of each kind there were.

        CommandError: records are bad, or the end record does not match the file. What was imported
        by then stays.
        """
        name, number = options["file"], options["service"]
        here = apart.first() if number is None else apart.database_of(number)
        skip = options["on_error"] == "skip"
        importer = Importer(self.actor, _source(name), skip_bad=skip)
        end = End()
        with (
            _opened(name) as stream,
            progress("Importing", _size(stream)) as advance,
            contextlib.closing(ahead(batches(stream, taken(options, m.BATCH_SIZE), end))) as read,
        ):
            for batch in read:
                try:
                    with apart.database(here):
                        errors = importer.take(batch)
                except BadBatch as bad:
                    self._name(name, bad.errors)
                    raise CommandError(_stopped(batch.first)) from None
                self._name(name, errors)
                skip = skip and not errors  # False from the first bad record on
                advance(batch.size)
        listed = ", ".join(f"{number} {kind}" for kind, number in importer.counts.items() if number)
        self.answer(options, importer.counts, f"Imported: {listed or 'nothing'}.")
        self._name(name, end.problems)
        if end.line is None:
            self.stderr.write(f"{name}: no end record: nobody knows whether the file is whole.")
        if options["on_error"] == "skip" and not skip:
            raise CommandError("Bad records were left out; the others are imported.")
        if end.problems:
            raise CommandError("The end record does not match the file; its records are imported.")

    def _name(self, name: str, errors: "list[Error] | Any") -> None:
        for error in errors:
            self.stderr.write(f"{name}:{error.line}: {error.message}")


def _source(name: str) -> str:
    """The file's name for the event. Bytes that are not text cannot be stored, and are replaced."""
    return os.path.basename(name).encode(errors="replace").decode()


def _stopped(line: int) -> str:
    return (
        f"Nothing from line {line} on was imported; all before it was. Mend the records and run"
        " this again, or leave the bad ones out with --on-error skip."
    )


@contextlib.contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = Path(name).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise CommandError(
            f"{name}: {error.strerror}. {DOCUMENTS}/reference/interchange.md says what such a"
            " file holds; export_grants makes one."
        ) from None
    with stream:
        yield stream


def _size(stream: BinaryIO) -> float | None:
    """The size of the file in bytes; None where it is not known before the end, as for a pipe."""
    try:
        return os.fstat(stream.fileno()).st_size or None
    except OSError:
        return None
