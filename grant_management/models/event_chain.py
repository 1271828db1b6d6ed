"""The hash chain of a service's events, built behind them: a change waits for no lock here.

Whoever delivers events also adds links, one process at a time for each service, in the order of the
outbox. See `protocol/event_chain.py` for the digests.
"""

from collections.abc import Callable
from datetime import UTC
from typing import Any, Final, Self

from django.db import models
from django.db.models import Exists, OuterRef

from ..conf import app_settings
from ..db import clock, primary
from ..db.of_service import at_services
from ..db.service_row import OfService
from ..protocol import times
from ..protocol.event_chain import (
    CHECKPOINT,
    GENESIS,
    HEAD,
    Head,
    event_digest,
    link_digest,
    sign,
)
from .event import GrantEvent
from .outbox import OutboxEntry
from .service import Service

History = Callable[[Service, int], int]

GONE: Final = b""
"""In place of the digest of an event that was gone before its link was made."""


class EventChainQuerySet(primary.PrimaryQuerySet["EventChain"]):
    """The chains of services."""

    def begin(self, service: Service) -> None:
        """Begin the chain of a service, if it has none."""
        self.get_or_create(service=service)

    def of_each_service(self) -> Self:
        """All chains, by the numbers of their services."""
        return self.filter(at_services(Service.objects.values("pk"))).order_by("pk")

    def extend(self, most: int, history: History = lambda service, most: 0) -> int:
        """Add at most so many links to each chain that lacks some; how many were added.

        A chain begins with what was there before its service published. `history` publishes at most
        so many of these events, and says how many: until it is 0 no link is made.
        """
        further = OutboxEntry.objects.filter(
            service=OuterRef("service"), number__gt=OuterRef("number")
        )
        keys = self.of_each_service().filter(Exists(further)).values_list("pk", flat=True)
        return sum(self._extend(key, most, history) for key in list(keys))

    def _extend(self, key: int, most: int, history: History) -> int:
        with primary.atomic():
            chain = self.select_for_update(skip_locked=True).filter(pk=key).first()
            if chain is None:  # another process is at it
                return 0
            if chain.position == 0 and (added := history(chain.service, most)):
                return added
            rows = list(OutboxEntry.objects.after(chain.service_id, chain.number)[:most])
            events = GrantEvent.objects.of_outbox(rows)
            links = [chain.add(row, events.get(row.event)) for row in rows]
            EventLink.objects.bulk_create(links)
            chain.save(update_fields=["number", "position", "digest"])
        return len(links)


class EventChain(models.Model):
    """The last link of a service's chain, and the last one that a purge deleted.

    `number` is the outbox's number of the last link's event.
    """

    service = models.OneToOneField(Service, on_delete=models.PROTECT, primary_key=True)
    number = models.BigIntegerField(default=0)
    position = models.BigIntegerField(default=0)
    digest = models.BinaryField(default=GENESIS)
    purged_position = models.BigIntegerField(default=0)
    purged_digest = models.BinaryField(default=GENESIS)
    checkpoint = models.TextField(default="", blank=True)

    objects = EventChainQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"

    def __str__(self) -> str:
        return str(self.position)

    def add(self, row: OutboxEntry, event: GrantEvent | None) -> "EventLink":
        """The next link, unsaved; the chain ends with it."""
        content = GONE if event is None else event_digest(members_of(event))
        self.number, self.position = row.number or 0, self.position + 1
        self.digest = link_digest(bytes(self.digest), self.position, row.event, content)
        return EventLink(
            service_id=self.service_id,
            position=self.position,
            event=row.event,
            content=content,
            digest=self.digest,
        )

    def head(self) -> str:
        """The last link, signed. IndexError: there are no `EVENT_SIGNING_KEYS`."""
        head = Head(self.service_id, self.position, bytes(self.digest))
        return _signed(HEAD, head)

    def move_checkpoint(self, last: "EventLink") -> None:
        """Note the last link that a purge deleted, signed where there is a key."""
        self.purged_position, self.purged_digest = last.position, last.digest
        head = Head(self.service_id, last.position, bytes(last.digest))
        self.checkpoint = _signed(CHECKPOINT, head) if app_settings.event_signing_keys else ""
        self.save(update_fields=["purged_position", "purged_digest", "checkpoint"])


class EventLink(OfService):
    """The link of an event: `content` is the event's digest, `digest` that of the whole chain."""

    id = models.BigAutoField(primary_key=True)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, db_index=False)
    position = models.BigIntegerField()
    event = models.UUIDField()
    content = models.BinaryField()
    digest = models.BinaryField()

    objects = primary.PrimaryManager["EventLink"]()

    class Meta:
        base_manager_name = "objects"
        constraints = [
            models.UniqueConstraint(fields=["service", "position"], name="gm_link_position"),
            models.UniqueConstraint(fields=["service", "event"], name="gm_link_event"),
        ]

    def __str__(self) -> str:
        return str(self.event)


def members_of(event: GrantEvent) -> dict[str, Any]:
    """What is protected of an event: all of its columns."""
    at = event.at.astimezone(UTC).isoformat(timespec="microseconds")
    texts = ("kind", "actor_kind", "actor", "actor_id", "reason", "note", "ticket")
    return {
        "id": str(event.pk),
        "at": at,
        "service": event.service_id,
        "client_id": event.client_id,
        "grant_id": event.grant_id,
        "subject": event.subject,
        "job": str(event.job or ""),
        "details": event.details,
        **{name: getattr(event, name) for name in texts},
    }


def _signed(kind: str, head: Head) -> str:
    key = app_settings.event_signing_keys[0]
    return sign(key, kind, head, times.to_seconds(clock.now()))
