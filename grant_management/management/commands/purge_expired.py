"""`purge_expired [--batch-size N] [--dry-run]`."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from ...models import Service
from ...models.purge import EXPIRING, expired, purge
from ..base import GrantManagementCommand
from ..progress import progress


class Command(GrantManagementCommand):
    """Deletes what has expired."""

    help = (
        "Delete expired proofs, nonces and tokens, and grants that were never claimed, in small"
        " batches: beside running servers, at any time; interrupted, it goes on where it stopped"
        " when it is run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """How many at once."""
        super().add_arguments(parser)
        parser.add_argument("--batch-size", type=int, default=500, metavar="N")
        parser.add_argument("--dry-run", action="store_true", help="count, and delete nothing")

    def handle(self, **options: Any) -> None:
        """Count them, and delete them."""
        now = timezone.now()
        counts = {model._meta.model_name: 0 for model in EXPIRING}
        with progress("Purging") as advance:
            for service in Service.objects.order_by("pk"):
                for model in EXPIRING:
                    rows = expired(model, service, now)
                    size = max(1, options["batch_size"])
                    done = (
                        [rows.count()] if options["dry_run"] else purge(model, service, now, size)
                    )
                    for number in done:
                        counts[model._meta.model_name] += number
                        advance(number)
        said = "Would delete" if options["dry_run"] else "Deleted"
        listed = ", ".join(f"{number} {name}" for name, number in counts.items())
        self.answer(options, counts, f"{said}: {listed}.")
