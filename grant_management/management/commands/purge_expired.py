"""`purge_expired [--batch-size N] [--dry-run]`."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import QuerySet

from ...conf import app_settings
from ...db import clock
from ...fields import members as m
from ...models import Call, GrantEvent, Organization, OrganizationEvent, Service, Tally
from ...models.event import EventQuerySet
from ...models.purge import EXPIRING, dead_for_long, expired, purge
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
        parser.add_argument("--batch-size", type=int, default=500, metavar="N")
        parser.add_argument("--dry-run", action="store_true", help="count, and delete nothing")

    def handle(self, **options: Any) -> None:
        """Delete the rows and update the counters; with `--dry-run`, only count the rows."""
        size, dry = taken(options, m.BATCH_SIZE), options["dry_run"]
        counts = {model._meta.model_name: 0 for model in EXPIRING}
        counts |= {"grantevent": 0, "organizationevent": 0, "call": 0}
        with progress("Purging") as advance:
            for service in Service.objects.order_by("pk"):
                for name, number in _purged(service, size, dry_run=dry):
                    counts[name] += number
                    advance(number)
            for number in _purged_of_organizations(size, dry_run=dry):
                counts["organizationevent"] += number
                advance(number)
        if not dry:
            Tally.count_events()
            Tally.count_live()
        said = "Would delete" if dry else "Deleted"
        listed = ", ".join(f"{number} {name}" for name, number in counts.items())
        self.answer(options, counts, f"{said}: {listed}.")


def _purged(service: Service, size: int, *, dry_run: bool) -> Iterator[tuple[str | None, int]]:
    """For each batch the model and the number of rows that were deleted, or would be."""
    now = clock.now()
    for model in EXPIRING:
        found = (find(model, service, now) for find in (expired, dead_for_long))
        for number in map(_count, found) if dry_run else purge(model, service, size):
            yield model._meta.model_name, number
    if not dry_run:
        yield "call", Call.objects.trim(service.pk, service.call_log_size)
    for number in _old_events(GrantEvent.objects.filter(service=service), size, dry_run=dry_run):
        yield "grantevent", number


def _purged_of_organizations(size: int, *, dry_run: bool) -> Iterator[int]:
    """As `_purged`, for events of organizations and those that concern all organizations."""
    for organization in (*Organization.objects.order_by("pk"), None):
        rows = OrganizationEvent.objects.filter(organization=organization)
        yield from _old_events(rows, size, dry_run=dry_run)


def _old_events(events: EventQuerySet[Any], size: int, *, dry_run: bool) -> Iterator[int]:
    """The number of deleted events of each batch: those older than EVENT_RETENTION_DAYS."""
    days = app_settings.event_retention_days
    if days is None:
        return
    before = clock.now() - timedelta(days=days)
    if dry_run:
        yield events.filter(at__lt=before).count()
    while not dry_run and (number := events.purge_oldest(before, size)):
        yield number


def _count(rows: "QuerySet[Any]") -> int:
    return rows.count()
