"""Services whose events are published: from a moment on, and those from before it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from ..db import primary
from .event import NO_REASON, Actor, GrantEvent, Reason
from .event_chain import EventChain
from .outbox import FIRST, OutboxEntry, OutboxHead
from .service import Service


def begin(service: Service) -> datetime:
    """Publish the events of a service from now on, in the caller's transaction, and begin their
    chain; the time.

    It waits for transactions that saw that nobody listens, so that none of their events is missed:
    whatever ends after this transaction is published.
    """
    now = service.hold()
    Service.objects.filter(pk=service.pk).update(publishes_events=True)
    EventChain.objects.begin(service)
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
    while added := add_batch(service, batch_size):
        yield added


def add_batch(service: Service, batch_size: int) -> int:
    """The same, of at most so many events; how many these were."""
    with primary.atomic():
        OutboxHead.objects.locked()  # one process at a time
        lowest = _lowest(service)
        of_service = GrantEvent.objects.filter(service=service)
        last = None if lowest is None else of_service.filter(pk=lowest.event).first()
        events = list(_unpublished(service, last)[:batch_size])
        below = FIRST if lowest is None or lowest.number is None else lowest.number
        OutboxEntry.objects.bulk_create(
            OutboxEntry(service_id=service.pk, event=event.pk, number=below - place)
            for place, event in enumerate(events, 1)
        )
    return len(events)


def _unpublished(service: Service, before: GrantEvent | None) -> QuerySet[GrantEvent]:
    """Events without a row in the outbox, the newest first; those older than `before`."""
    known = OutboxEntry.objects.filter(event=OuterRef("pk"))
    rows = GrantEvent.objects.filter(~Exists(known), service=service)
    if before is not None:
        older: Any = Q(at__lt=before.at) | Q(at=before.at, pk__lt=before.pk)
        rows = rows.filter(older, at__lte=before.at)
    return rows.only("pk", "at").order_by("-at", "-pk")


def _lowest(service: Service) -> OutboxEntry | None:
    """The row of the oldest event from before that is published; None: none is."""
    rows = OutboxEntry.objects.filter(service=service, number__lte=FIRST)
    return rows.order_by("number").first()
