"""`purge_expired [--batch-size N] [--dry-run]`."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from ... import conf
from ...models import GrantEvent, Service
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
        size, dry = max(1, options["batch_size"]), options["dry_run"]
        counts = {model._meta.model_name: 0 for model in EXPIRING} | {"grantevent": 0}
        with progress("Purging") as advance:
            for service in Service.objects.order_by("pk"):
                for name, number in _purged(service, timezone.now(), size, dry_run=dry):
                    counts[name] += number
                    advance(number)
        said = "Would delete" if dry else "Deleted"
        listed = ", ".join(f"{number} {name}" for name, number in counts.items())
        self.answer(options, counts, f"{said}: {listed}.")


def _purged(
    service: Service, now: datetime, size: int, *, dry_run: bool
) -> Iterator[tuple[str | None, int]]:
    """What each batch deleted, of what; or how much there would be to delete."""
    for model in EXPIRING:
        rows = expired(model, service, now)
        for number in [rows.count()] if dry_run else purge(model, service, now, size):
            yield model._meta.model_name, number
    kept = conf.event_retention()
    if kept is not None:
        old = GrantEvent.objects.filter(service=service, at__lt=now - kept)
        if dry_run:
            yield "grantevent", old.count()
        while not dry_run and (number := GrantEvent.objects.purge(service.pk, now - kept, size)):
            yield "grantevent", number
