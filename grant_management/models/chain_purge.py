"""Purges the hash chain of a service's events: from its beginning, with a checkpoint."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import models

from ..db import primary
from ..db.ids import first_uuid7
from ..db.of_service import these
from .event import GrantEvent
from .event_chain import EventChain, EventLink
from .stream_delivery import StreamDelivery
from .webhook_delivery import WebhookDelivery


@dataclass(frozen=True, slots=True)
class ChainPurge:
    """The purge of one chain."""

    chain: EventChain

    def purge_oldest(self, before: datetime, batch_size: int) -> int:
        """Delete the events from before a moment with their links, at most so many, and leave a
        checkpoint; how many were deleted. It ends before the first one that is still to be
        delivered, since what is left has to be a chain.
        """
        with primary.atomic():
            held = EventChain.objects.select_for_update().get(pk=self.chain.pk)
            links = _purgeable(list(_links(held)[:batch_size]), before)
            if links:
                events = [(link.event, held.pk) for link in links]
                models.QuerySet.delete(these(GrantEvent.objects.all(), events))
                these(EventLink.objects.all(), ((link.pk, held.pk) for link in links)).delete()
                held.move_checkpoint(links[-1])
        return len(links)


def _links(chain: EventChain) -> "models.QuerySet[EventLink]":
    return EventLink.objects.filter(service=chain.service_id).order_by("position")


def _purgeable(links: Iterable[EventLink], before: datetime) -> list[EventLink]:
    """Those at the beginning whose events are old, and on their way to nobody."""
    links, first = list(links), first_uuid7(before)
    events = [link.event for link in links]
    waiting = (WebhookDelivery.objects.waiting(), StreamDelivery.objects.waiting())
    held = {
        event
        for rows in waiting
        for event in rows.filter(event__in=events).values_list("event", flat=True)
    }
    ends = (n for n, link in enumerate(links) if link.event >= first or link.event in held)
    return links[: next(ends, len(links))]
