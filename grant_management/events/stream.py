"""The stream of a service's events, for systems that collect them: in the order of the outbox."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from ..models import GrantEvent, OutboxEntry, Service
from ..protocol.event_payload import TYPES

READ_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Streamed:
    """An event and its place in the stream. `cursor` is what a reader resumes after."""

    cursor: int
    event: GrantEvent

    def shown(self) -> dict[str, Any]:
        """All that is kept of it, as members of JSON; absent ones are left out.

        An auditor needs the operator's note and what a grant held, which webhooks do not send.
        """
        event = self.event
        members = {
            "cursor": str(self.cursor),
            "eventId": str(event.pk),
            "type": TYPES.get(event.kind, event.kind),
            "timestamp": event.at.isoformat(),
            "serviceId": str(event.service_id),
            "clientId": event.client_id,
            "grantId": event.grant_id,
            "subject": event.subject,
            "job": str(event.job or ""),
            "actor": event.actor_kind,
            "actorName": event.actor,
            "actorId": event.actor_id,
            "reason": event.reason,
            "note": event.note,
            "ticket": event.ticket,
            "details": event.details,
        }
        return {name: value for name, value in members.items() if value not in (None, "", {})}


def read(service: Service, after: int) -> Iterator[Streamed]:
    """The published events after a cursor; 0: from the first on. It ends where none is left.

    An event that was purged meanwhile is left out. No event is passed over: its number is committed
    before any later one (`models/outbox.py`).
    """
    while rows := list(OutboxEntry.objects.after(service.pk, after)[:READ_AT_ONCE]):
        events = GrantEvent.objects.of_outbox(rows)
        for row in rows:
            after = row.number or after
            if row.event in events:
                yield Streamed(after, events[row.event])
