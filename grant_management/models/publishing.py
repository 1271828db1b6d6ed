"""Services whose events are published: from a moment on, and those from before it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from ..db import primary
from .event import NO_REASON, Actor, GrantEvent, Reason
from .outbox import FIRST, OutboxEntry, OutboxHead
from .service import Service


def begin(service: Service) -> datetime:
    """Publish the events of a service from now on, in the caller's transaction; the time.

    It waits for transactions that saw that nobody listens, so that none of their events is missed:
    whatever ends after this transaction is published.
    """
    now = service.hold()
    Service.objects.filter(pk=service.pk).update(publishes_events=True)
    return now


def publish(service: Service, actor: Actor, why: Reason = NO_REASON) -> bool:
    """Publish the events of a service from now on, with an event of that; False: it did already."""
    # It takes the lock that `begin` takes.
    return bool(service.change({"publishes_events": True}, actor, why))


def add_history(service: Service, batch_size: int) -> Iterator[int]:
    """Publish the events from before the service published, too; yields the size of each batch.

    They get numbers below all others, in the order of their times, from the newest to the oldest:
    so it can be interrupted and goes on where it was. Webhooks are not sent them.
    """
    last: GrantEvent | None = None
    while True:
        with primary.atomic():
            OutboxHead.objects.locked()  # one process at a time
            events = list(_unpublished(service, last)[:batch_size])
            if not events:
                return
            below = _lowest(service)
            OutboxEntry.objects.bulk_create(
                OutboxEntry(service_id=service.pk, event=event.pk, number=below - place)
                for place, event in enumerate(events, 1)
            )
        last = events[-1]
        yield len(events)


def _unpublished(service: Service, before: GrantEvent | None) -> QuerySet[GrantEvent]:
    """Events without a row in the outbox, the newest first; those older than `before`."""
    known = OutboxEntry.objects.filter(event=OuterRef("pk"))
    rows = GrantEvent.objects.filter(~Exists(known), service=service)
    if before is not None:
        older: Any = Q(at__lt=before.at) | Q(at=before.at, pk__lt=before.pk)
        rows = rows.filter(older, at__lte=before.at)
    return rows.only("pk", "at").order_by("-at", "-pk")


def _lowest(service: Service) -> int:
    """The lowest number of the service, of those that the past may have; else `FIRST`."""
    rows = OutboxEntry.objects.filter(service=service, number__lte=FIRST).order_by("number")
    return rows.values_list("number", flat=True).first() or FIRST
