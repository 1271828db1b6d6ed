"""Plans the SETs of new events: which streams are told of them, and in which order."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from ..db import clock
from ..protocol import shared_signals
from ..protocol.shared_signals import digests_within, types_of
from .event import GrantEvent
from .outbox import OutboxEntry
from .stream import Stream
from .stream_delivery import HELD, StreamDelivery
from .stream_subject import StreamSubject


def plan_signals(rows: Iterable[OutboxEntry]) -> None:
    """Plan the deliveries of newly numbered rows, in the transaction that numbered them."""
    rows, now = list(rows), clock.now()
    streams = _by_service({row.service_id for row in rows}, now)
    if not streams:
        return
    told = [row for row in rows if row.service_id in streams]
    events = GrantEvent.objects.to_tell().of_outbox(told)
    for service_id, ours in streams.items():
        of = [(row, events[row.event]) for row in told if row.event in events]
        of_service = [one for one in of if one[1].service_id == service_id]
        StreamDelivery.objects.bulk_create(_planned(ours, of_service))


def order_of(event: GrantEvent) -> str:
    """What an event keeps its order with, as the `grant_id` of its deliveries: its grant; else its
    client; else the service (SSF §8.1.2.1: a held `client-enabled` must not overtake the
    `client-disabled` before it).

    No grant's ID begins with `=`. Clients with IDs of the same 254 characters wait for each other.
    """
    return event.grant_id or f"={event.client_id}"[:255]


def _by_service(numbers: set[int], now: datetime) -> dict[int, list[Stream]]:
    """The streams that are told of events, locked until the caller's transaction ends."""
    found: dict[int, list[Stream]] = {}
    rows = Stream.objects.receiving(now).filter(service__in=numbers)
    for stream in rows.select_for_update(of=("self",)).select_related("service").order_by("pk"):
        found.setdefault(stream.service_id, []).append(stream)
    return found


def _planned(
    streams: list[Stream], rows: list[tuple[OutboxEntry, GrantEvent]]
) -> Iterator[StreamDelivery]:
    """The deliveries of a service's events to its streams, without removed subjects."""
    service = streams[0].service
    told = []
    for row, event in rows:
        payload = event.payload()
        if kinds := types_of(payload, keeps_access_tokens=not service.revoke_access_tokens):
            subject = shared_signals.subject_of(payload, service.issuer)
            told.append((row, event, kinds, set(digests_within(subject))))
    digests = {one for *_rest, within in told for one in within}
    removed = StreamSubject.objects.among(service.pk, digests) if told else set()
    for stream in streams:
        wanted = stream.delivered
        for row, event, kinds, within in told:
            if any((stream.pk, one) in removed for one in within):
                continue
            due_at = event.at if stream.is_pushed else HELD
            fields = {"stream": stream, "number": row.number or 0, "due_at": due_at}
            for kind in kinds:
                if kind in wanted:
                    order = order_of(event)
                    yield StreamDelivery.about(event, type=kind, grant_id=order, **fields)
