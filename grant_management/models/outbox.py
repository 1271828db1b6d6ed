"""The outbox: which events are told outside of this system, and in which order.

An event's row here is written in the transaction of the event. Its key comes from a sequence, in
which a transaction that commits late has a lower key than one that commits before it, so a reader
who goes by keys or by times could pass over it. So rows get a number behind the events: one process
at a time (a lock on the one row of `OutboxHead`) numbers the rows that it sees. Numbers are
committed in their own order, so nobody who has read up to a number misses a lower one.

Events of a grant keep their order: each is written under the grant's lock, so whoever sees the
later one sees the earlier one too, with a lower key. A number from the transaction's ID (`xid8`)
would not keep it, since a transaction gets its ID before it waits for the lock; and a dump that is
restored elsewhere begins with lower IDs.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import models
from django.db.models import OuterRef

from ..db import primary
from ..db.ids import first_uuid7

FIRST: Final = 10**12
"""Numbers are above it; below it there is room for the events from before a service published."""


class OutboxQuerySet(primary.PrimaryQuerySet["OutboxEntry"]):
    """The events that are told, or will be."""

    def put(self, service_id: int, events: Iterable[UUID], *, is_told: bool | None = None) -> None:
        """Add events of a service, in their transaction, if the service publishes its events.

        `is_told` is the service's `publishes_events`, where the caller read it under a lock on the
        service; None: it is read here, with a shared lock, so that nobody who turns it on at the
        same moment misses these events.
        """
        if publishes(service_id) if is_told is None else is_told:
            self.bulk_create([OutboxEntry(service_id=service_id, event=key) for key in events])

    def waiting(self) -> "OutboxQuerySet":
        """The rows that have no number yet."""
        return self.filter(number=None)

    def after(self, service_id: int, number: int) -> "OutboxQuerySet":
        """The numbered rows of a service after a number, which is the reader's cursor; 0: all."""
        return self.filter(service_id=service_id, number__gt=number).order_by("number")

    def assign_numbers(
        self, most: int, told: Callable[[list["OutboxEntry"]], None] = lambda rows: None
    ) -> int:
        """Number at most so many rows that wait; how many. `told` is called with them in the same
        transaction.
        """
        with primary.atomic():
            head = OutboxHead.objects.locked()
            rows = list(self.waiting().order_by("pk")[:most])
            for number, row in enumerate(rows, head.last + 1):
                row.number = number
            if rows:
                self.bulk_update(rows, ["number"])
                OutboxHead.objects.update(last=head.last + len(rows))
                told(rows)
        return len(rows)

    def purge_oldest(self, before: datetime, batch_size: int) -> int:
        """Delete rows of events from before a moment, at most so many; how many were deleted."""
        old = self.filter(event__lt=first_uuid7(before)).exclude(number=None).order_by("event")
        keys = list(old.values_list("pk", flat=True)[:batch_size])
        return OutboxEntry.objects.filter(pk__in=keys).delete()[0]

    def of_event(self) -> "OutboxQuerySet":
        """For a subquery on events: the row of an event that has no number yet."""
        return self.filter(event=OuterRef("pk"), number=None)


class OutboxEntry(models.Model):
    """An event that is told. It has no number until its transaction has been committed."""

    id = models.BigAutoField(primary_key=True)
    service = models.ForeignKey(
        "grant_management.Service", on_delete=models.PROTECT, db_index=False
    )
    event = models.UUIDField(unique=True)
    number = models.BigIntegerField(null=True)

    objects = OutboxQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        constraints = [
            models.UniqueConstraint(fields=["service", "number"], name="gm_outbox_number")
        ]
        indexes = [
            models.Index(
                fields=["id"], name="gm_outbox_waiting", condition=models.Q(number__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return str(self.event)


class OutboxHeadQuerySet(primary.PrimaryQuerySet["OutboxHead"]):
    """The table of one row."""

    def locked(self) -> "OutboxHead":
        """The row, locked in the caller's transaction."""
        head = self.select_for_update().first()
        if head is None:
            self.bulk_create([OutboxHead()], ignore_conflicts=True)
            head = self.select_for_update().get()
        return head


class OutboxHead(models.Model):
    """The last number that was assigned: one row, which whoever assigns numbers locks."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    last = models.BigIntegerField(default=FIRST)

    objects = OutboxHeadQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"

    def __str__(self) -> str:
        return str(self.last)


_PUBLISHES: Final = "SELECT publishes_events FROM grant_management_service WHERE id = %s"


def publishes(service_id: int) -> bool:
    """Whether the service's events are told, with a shared lock on PostgreSQL: 1 statement."""
    connection = primary.connection()
    lock = " FOR KEY SHARE" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(_PUBLISHES + lock, [service_id])
        found = cursor.fetchone()
    return bool(found and found[0])
