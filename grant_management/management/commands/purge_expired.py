"""`purge_expired [--batch-size N] [--dry-run]`."""

from typing import Any

from django.core.management.base import CommandParser

from ...fields import members as m
from ...models.purge import EXPIRING, countable, purge_all
from ..base import GrantManagementCommand, taken
from ..progress import progress


class Command(GrantManagementCommand):
    """Deletes expired rows, old events and surplus calls of the log."""

    help = (
        "Delete expired proofs, nonces and tokens, grants that were never claimed, and calls beyond"
        " the size of their log, in small batches, and count for the admin's overview: beside"
        " running servers, at any time; interrupted, it goes on where it stopped when it is run"
        " again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the size of a batch, and `--dry-run`."""
        super().add_arguments(parser)
        parser.add_argument(
            "--batch-size", type=int, default=500, metavar="N", help="rows in a transaction"
        )
        parser.add_argument("--dry-run", action="store_true", help="count, and delete nothing")

    def handle(self, **options: Any) -> None:
        """Delete the rows and update the counters; with `--dry-run`, only count the rows."""
        size, dry = taken(options, m.BATCH_SIZE), options["dry_run"]
        counts = {model._meta.model_name: 0 for model in EXPIRING}
        counts |= {"grantevent": 0, "organizationevent": 0, "call": 0}
        counts |= {"outboxentry": 0, "webhookdelivery": 0, "webhook": 0}
        counts |= {"streamdelivery": 0, "stream": 0, "signingkey": 0}
        with progress("Purging") as advance:

            def purge() -> None:
                found = ((name, rows.count()) for name, rows in countable())
                for name, number in found if dry else purge_all(size):
                    counts[name] += number
                    advance(number)

            self.in_each_database(purge)
        said = "Would delete" if dry else "Deleted"
        listed = ", ".join(f"{number} {name}" for name, number in counts.items())
        self.answer(options, counts, f"{said}: {listed}.")
