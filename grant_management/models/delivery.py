"""Deliveries: events on their way to receivers. Webhooks and streams have a table of them each."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, Self, TypeVar

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from ..db import clock, primary
from ..db.ids import first_uuid7, uuid7

D = TypeVar("D", bound="Delivery")

LEASE: Final = timedelta(minutes=2)
"""A worker that has not said how an attempt ended for this long is taken to have stopped.

An attempt ends much sooner, so nothing is sent twice at a time.
"""
KEPT_FOR: Final = timedelta(days=30)
"""How long a delivery is kept after its end."""


class DeliveryQuerySet(primary.PrimaryQuerySet[D]):
    """What is to be sent, and what was."""

    to: ClassVar[str]
    """The name of the column of the receiver."""
    reads: ClassVar[str]
    """What is read with a delivery: its receiver, and what that depends on."""

    def sendable(self, now: datetime) -> Self:
        """Those that a worker may send to their receivers, apart from order and time."""
        raise NotImplementedError

    def in_order(self) -> Self:
        """Those that wait for no other: a grant's event waits until its earlier ones are delivered
        or dead.
        """
        same = {self.to: OuterRef(self.to), "grant_id": OuterRef("grant_id")}
        earlier = self.model._default_manager.filter(
            **same, number__lt=OuterRef("number"), due_at__isnull=False
        )
        return self.filter(Q(grant_id="") | ~Exists(earlier))

    def overdue(self, now: datetime) -> Self:
        """Those whose time has come and that nobody sends, also where the receiver does not answer
        or an earlier event of the grant waits; the oldest first.
        """
        free = Q(claimed_until=None) | Q(claimed_until__lte=now)
        return self.sendable(now).filter(free, due_at__lte=now).order_by("due_at", "number")

    def due(self, now: datetime) -> Self:
        """The deliveries that may be attempted now, in the order of the grants' events."""
        pause = f"{self.to}__paused_until"
        awake = Q(**{pause: None}) | Q(**{f"{pause}__lte": now})
        return self.overdue(now).in_order().filter(awake)

    def claim(self) -> D | None:
        """A delivery that is due, claimed for `LEASE`; None: there is none. Many may ask."""
        now = clock.now()
        if not self.due(now).exists():  # SQLite has one writer: do not become it for nothing
            return None
        with primary.atomic():
            rows = self.due(now).select_for_update(skip_locked=True, of=("self",))
            row = rows.select_related(self.reads).first()
            if row is None or not getattr(row, self.to).claim_probe(now):
                return None
            row.claimed_until = now + LEASE
            row.save(update_fields=["claimed_until"])
        return row

    def in_state(self, state: str) -> Self:
        """Those that are `delivered`, `dead` or `pending`."""
        rules = {
            "delivered": Q(delivered_at__isnull=False),
            "dead": Q(delivered_at=None, dead_at__isnull=False),
            "pending": Q(due_at__isnull=False),
        }
        return self.filter(rules[state])

    def waiting(self) -> Self:
        """Those that are still on their way: their events are kept."""
        raise NotImplementedError

    def of_event(self) -> Self:
        """For a subquery on events: the deliveries of an event that are still on their way."""
        return self.waiting().filter(event=OuterRef("pk"))

    def purge_oldest(self, before: datetime, batch_size: int) -> int:
        """Delete what was delivered, or given up, before a moment, and the log of deleted
        receivers; how many of at most so many.
        """
        ended = Q(delivered_at__lt=before) | Q(dead_at__lt=before)
        # By the key's time too, since there is no index of ends. Nothing ends before it begins.
        old = self.filter(ended, due_at=None, pk__lt=first_uuid7(before))
        receivers: Any = self.model._meta.get_field(self.to).related_model
        gone = receivers.objects.exclude(deleted_at=None).values("pk")
        left = self.filter(**{f"{self.to}__in": gone})
        keys = [
            key for rows in (left, old) for key in rows.values_list("pk", flat=True)[:batch_size]
        ]
        self.model._default_manager.filter(pk__in=keys).delete()
        return len(keys)


class Delivery(models.Model):
    """An event for a receiver. `due_at`: of the next attempt; None: delivered, or given up."""

    id = models.UUIDField(_("ID"), primary_key=True, default=uuid7)
    event = models.UUIDField(_("event"))
    type = models.CharField(_("type"), max_length=50)
    grant_id = models.CharField(_("grant ID"), max_length=255, blank=True, default="")
    number = models.BigIntegerField(_("number"))
    created_at = models.DateTimeField(_("created"))
    due_at = models.DateTimeField(_("due"), null=True)
    claimed_until = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    delivered_at = models.DateTimeField(_("delivered"), null=True)
    dead_at = models.DateTimeField(_("given up"), null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.type} {self.event}"

    @property
    def state(self) -> str:
        """`delivered`, `dead` or `pending`."""
        if self.delivered_at is not None:
            return "delivered"
        return "dead" if self.dead_at is not None else "pending"

    def after_attempt(
        self, now: datetime, retry_at: datetime | None, *, is_delivered: bool
    ) -> dict[str, Any]:
        """The columns after an attempt. `retry_at`: when the next one is; None: there is none."""
        fields: dict[str, Any] = {"attempts": self.attempts + 1, "claimed_until": None}
        if is_delivered:
            return fields | {"due_at": None, "delivered_at": now}
        return fields | ({"due_at": retry_at} if retry_at else {"due_at": None, "dead_at": now})
