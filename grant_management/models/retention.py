"""What is kept for a time: events, and the log of webhooks. The purge deletes what is older."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Exists, OuterRef

from ..conf import app_settings
from ..db import apart, clock
from .chain_purge import ChainPurge
from .delivery import KEPT_FOR
from .event import EventQuerySet, GrantEvent
from .event_chain import EventChain
from .organization import Organization
from .organization_event import OrganizationEvent
from .outbox import OutboxEntry, OutboxQuerySet
from .service import Service
from .signing_key import SigningKey
from .stream import Stream
from .stream_delivery import StreamDelivery
from .webhook import Webhook
from .webhook_delivery import WebhookDelivery


def purged(batch_size: int) -> Iterator[tuple[str, int]]:
    """Delete what is too old, in batches; yields a model's name and a number of rows of each."""
    now = clock.now()
    yield from _without_end(WebhookDelivery.objects.all(), now - KEPT_FOR, batch_size)
    yield _name(Webhook), Webhook.objects.purge_deleted()
    yield from _of_streams(now, batch_size)
    before = since(now)
    if before is not None:
        chains = list(EventChain.objects.of_each_service())
        for chain in chains:
            for _name_of_chain, number in _without_end(ChainPurge(chain), before, batch_size):
                yield _name(GrantEvent), number
        for rows in (*events({chain.pk for chain in chains}), _outbox_of_purged_events()):
            yield from _without_end(rows, before, batch_size)


def events(chained: Collection[int] = ()) -> Iterator[EventQuerySet[Any]]:
    """The events of each service, of each organization, and of none; not of `chained` services.

    An event that has still to be delivered is kept, however old it is.
    """
    queues = (OutboxEntry.objects, WebhookDelivery.objects, StreamDelivery.objects)
    on_its_way = reduce(or_, (Exists(one.of_event()) for one in queues))
    for service in Service.objects.exclude(pk__in=chained).order_by("pk"):
        rows = GrantEvent.objects.filter(service=service)
        yield rows.exclude(on_its_way) if service.publishes_events else rows
    if apart.is_away():  # those of organizations are in the first database alone
        return
    for organization in (*Organization.objects.order_by("pk"), None):
        yield OrganizationEvent.objects.filter(organization=organization)


def _of_streams(now: datetime, batch_size: int) -> Iterator[tuple[str, int]]:
    """Delete SETs that were delivered, or that nobody fetched; deleted streams; old keys."""
    rows, before = StreamDelivery.objects, now - KEPT_FOR
    while number := rows.purge_undelivered(before, batch_size):
        yield _name(StreamDelivery), number
    yield from _without_end(rows.all(), before, batch_size)
    yield _name(Stream), Stream.objects.purge_deleted()
    yield _name(SigningKey), SigningKey.objects.purge_expired(now)


def since(now: datetime) -> datetime | None:
    """Events before this time are deleted (EVENT_RETENTION_DAYS); None: none are."""
    days = app_settings.event_retention_days
    return None if days is None else now - timedelta(days=days)


def _without_end(rows: Any, before: datetime, batch_size: int) -> Iterator[tuple[str, int]]:
    """Delete the rows from before a moment, in batches; `rows` is what has a `purge_oldest`."""
    while number := rows.purge_oldest(before, batch_size):
        yield _name(getattr(rows, "model", EventChain)), number


def _outbox_of_purged_events() -> OutboxQuerySet:
    event = GrantEvent.objects.filter(service=OuterRef("service"), pk=OuterRef("event"))
    return OutboxEntry.objects.filter(~Exists(event))


def _name(model: Any) -> str:
    return str(model._meta.model_name)
