"""What is kept for a time: events, and the log of webhooks. The purge deletes what is older."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef

from ..conf import app_settings
from ..db import clock
from .event import EventQuerySet, GrantEvent
from .event_chain import EventChain
from .organization import Organization
from .organization_event import OrganizationEvent
from .outbox import OutboxEntry, OutboxQuerySet
from .service import Service
from .webhook import Webhook
from .webhook_delivery import KEPT_FOR, WebhookDelivery


def purged(batch_size: int) -> Iterator[tuple[str, int]]:
    """Delete what is too old, in batches; yields a model's name and a number of rows of each."""
    now = clock.now()
    yield from _without_end(WebhookDelivery.objects.all(), now - KEPT_FOR, batch_size)
    yield _name(Webhook), Webhook.objects.purge_deleted()
    before = since(now)
    if before is not None:
        chains = list(EventChain.objects.order_by("pk"))
        for chain in chains:
            for _name_of_chain, number in _without_end(chain, before, batch_size):
                yield _name(GrantEvent), number
        for rows in (*events({chain.pk for chain in chains}), _outbox_of_purged_events()):
            yield from _without_end(rows, before, batch_size)


def events(chained: Collection[int] = ()) -> Iterator[EventQuerySet[Any]]:
    """The events of each service, of each organization, and of none; not of `chained` services.

    An event that has still to be delivered is kept, however old it is.
    """
    on_its_way = Exists(OutboxEntry.objects.of_event()) | Exists(WebhookDelivery.objects.of_event())
    for service in Service.objects.exclude(pk__in=chained).order_by("pk"):
        rows = GrantEvent.objects.filter(service=service)
        yield rows.exclude(on_its_way) if service.publishes_events else rows
    for organization in (*Organization.objects.order_by("pk"), None):
        yield OrganizationEvent.objects.filter(organization=organization)


def since(now: datetime) -> datetime | None:
    """Events before this time are deleted (EVENT_RETENTION_DAYS); None: none are."""
    days = app_settings.event_retention_days
    return None if days is None else now - timedelta(days=days)


def _without_end(rows: Any, before: datetime, batch_size: int) -> Iterator[tuple[str, int]]:
    """Delete the rows from before a moment, in batches; `rows` is what has a `purge_oldest`."""
    while number := rows.purge_oldest(before, batch_size):
        yield _name(getattr(rows, "model", type(rows))), number


def _outbox_of_purged_events() -> OutboxQuerySet:
    event = GrantEvent.objects.filter(pk=OuterRef("event"))
    return OutboxEntry.objects.filter(~Exists(event))


def _name(model: Any) -> str:
    return str(model._meta.model_name)
