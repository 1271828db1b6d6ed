"""Deliveries: an event on its way to a webhook."""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import Any, Final, Self
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ..db import clock, primary
from ..db.ids import first_uuid7
from ..protocol.event_payload import TYPES
from .delivery import Delivery, DeliveryQuerySet
from .event import NO_REASON, Actor, EventKind, GrantEvent, Reason
from .outbox import OutboxEntry
from .webhook import Webhook
from .webhook_attempt import Outcome, WebhookAttempt

AT_ONCE: Final = 500
"""Events that a replay reads at once."""
REPLAYED_AT_ONCE: Final = 10_000
"""Events of a span that a replay sends."""


class NoSuchEvent(Exception):
    """The service has published no event of this ID."""


class WebhookDeliveryQuerySet(DeliveryQuerySet["WebhookDelivery"]):
    """What is to be sent, and what was."""

    to = reads = "webhook"

    def plan(self, rows: Iterable[OutboxEntry]) -> None:
        """Plan the deliveries of newly numbered rows, in the transaction that numbered them."""
        rows = list(rows)
        webhooks = _by_service({row.service_id for row in rows})
        if not webhooks:
            return
        events = _events_of(rows)
        now = clock.now()
        self.bulk_create(
            (
                _planned(webhook, events[row.event], row.number or 0, now)
                for row in rows
                for webhook in webhooks.get(row.service_id, ())
                if row.event in events and webhook.wants(events[row.event].kind)
            ),
            ignore_conflicts=True,  # a test is planned before its event has a number
        )

    def sendable(self, now: datetime) -> Self:
        """Those whose webhooks are enabled."""
        return self.filter(webhook__disabled_at=None)

    def waiting(self) -> Self:
        """Those that are still on their way. Those to a disabled webhook are not: nobody knows for
        how long it is.
        """
        return self.filter(due_at__isnull=False, webhook__disabled_at=None)

    def again(self, webhook: Webhook, rows: Iterable[OutboxEntry], now: datetime) -> int:
        """Send events once more, as if for the first time; how many, without those that are on
        their way already.
        """
        rows = iter(rows)
        parts = iter(lambda: list(islice(rows, AT_ONCE)), [])
        return sum(self._again(webhook, part, now) for part in parts)

    def _again(self, webhook: Webhook, rows: list[OutboxEntry], now: datetime) -> int:
        events = _events_of(rows)
        wanted = {
            row.event: row
            for row in rows
            if row.event in events and webhook.wants(events[row.event].kind)
        }
        found = self.filter(webhook=webhook, event__in=list(wanted))
        known = set(found.values_list("event", flat=True))
        fresh = {"due_at": now, "delivered_at": None, "dead_at": None, "attempts": 0}
        sent = found.filter(due_at=None).update(**fresh)
        planned = [
            _planned(webhook, events[key], row.number or 0, now)
            for key, row in wanted.items()
            if key not in known
        ]
        self.bulk_create(planned, ignore_conflicts=True)
        return sent + len(planned)

    def replay_event(
        self, webhook: Webhook, actor: Actor, event: UUID, why: Reason = NO_REASON
    ) -> int:
        """Send an event once more; 0: it is on its way. NoSuchEvent: the service published none."""
        found = list(OutboxEntry.objects.after(webhook.service_id, 0).filter(event=event))
        if not found:
            raise NoSuchEvent
        return self.replay(webhook, actor, found, why)

    def replay_span(
        self,
        webhook: Webhook,
        actor: Actor,
        first: datetime,
        end: datetime,
        why: Reason = NO_REASON,
    ) -> tuple[int, bool]:
        """Send the events from a moment until before another once more, `REPLAYED_AT_ONCE` at most.

        How many are sent, without those on their way already; and whether these were all of them.
        """
        rows = OutboxEntry.objects.after(webhook.service_id, 0)
        rows = rows.filter(event__gte=first_uuid7(first), event__lt=first_uuid7(end))
        found = list(rows[: REPLAYED_AT_ONCE + 1])
        sent = found[:REPLAYED_AT_ONCE]
        return self.replay(webhook, actor, sent, why), len(sent) == len(found)

    def replay(
        self, webhook: Webhook, actor: Actor, rows: Iterable[OutboxEntry], why: Reason = NO_REASON
    ) -> int:
        """Send events once more, and add the event of that; how many are sent."""
        with primary.atomic():
            number = self.again(webhook, rows, clock.now())
            details = {"webhookId": str(webhook.pk), "count": number}
            webhook.record(EventKind.WEBHOOK_REPLAYED, actor, why, **details)
        return number

    def test(self, webhook: Webhook, actor: Actor, why: Reason = NO_REASON) -> GrantEvent:
        """Send the event of this test, whatever types of events the webhook is for."""
        with primary.atomic():
            kind = EventKind.WEBHOOK_TESTED
            event = webhook.record(kind, actor, why, webhookId=str(webhook.pk))
            self.bulk_create([_planned(webhook, event, 0, event.at)])
        return event


class WebhookDelivery(Delivery):
    """An event for a webhook."""

    webhook = models.ForeignKey(
        Webhook, on_delete=models.CASCADE, db_index=False, verbose_name=_("webhook")
    )

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints = [
            models.UniqueConstraint(fields=["webhook", "event"], name="gm_delivery_unique")
        ]
        indexes = [
            models.Index(
                fields=["due_at", "number"],
                name="gm_delivery_due",
                condition=Q(due_at__isnull=False),
            ),
            models.Index(
                fields=["webhook", "grant_id", "number"],
                name="gm_delivery_order",
                condition=Q(due_at__isnull=False),
            ),
            models.Index(
                fields=["event"], name="gm_delivery_event", condition=Q(due_at__isnull=False)
            ),
            models.Index(fields=["webhook", "-id"], name="gm_delivery_newest"),
        ]

    def event_fields(self) -> dict[str, Any]:
        """The lookups by which events about it are found: those of its webhook."""
        return self.webhook.event_fields()

    def replay(self, actor: Actor, why: Reason) -> bool:
        """Send it once more; False: it is on its way, its webhook is disabled, or its event was
        purged.
        """
        if self.due_at is not None or self.webhook.disabled_at is not None:
            return False
        rows = OutboxEntry.objects.filter(event=self.event).exclude(number=None)
        known = rows.filter(service=self.webhook.service_id)
        if not known.exists():
            return False
        return WebhookDelivery.objects.replay(self.webhook, actor, known, why) == 1

    def end_attempt(
        self, outcome: Outcome, now: datetime, retry_at: datetime | None, **attempt: Any
    ) -> None:
        """Write how the attempt ended. `retry_at`: when the next one is; None: it was the last.

        If another worker has claimed it meanwhile, only the attempt is written.
        """
        with primary.atomic():
            is_delivered = outcome is Outcome.DELIVERED
            fields = self.after_attempt(now, retry_at, is_delivered=is_delivered)
            rows = WebhookDelivery.objects.filter(pk=self.pk)
            if rows.exists():  # else its webhook was deleted meanwhile
                WebhookAttempt.objects.create(delivery=self, outcome=outcome, **attempt)
                rows.filter(claimed_until=self.claimed_until).update(**fields)


def _events_of(rows: Iterable[OutboxEntry]) -> dict[UUID, GrantEvent]:
    """Their events by key, without details, which may be what a large grant held."""
    return GrantEvent.objects.only("kind", "grant_id").of_outbox(rows)


def _by_service(numbers: set[int]) -> dict[int, list[Webhook]]:
    found: dict[int, list[Webhook]] = {}
    for webhook in Webhook.objects.filter(service__in=numbers, disabled_at=None):
        found.setdefault(webhook.service_id, []).append(webhook)
    return found


def _planned(webhook: Webhook, event: GrantEvent, number: int, now: datetime) -> WebhookDelivery:
    return WebhookDelivery(
        webhook=webhook,
        event=event.pk,
        type=TYPES.get(event.kind, event.kind),
        grant_id=event.grant_id,
        number=number,
        created_at=now,
        due_at=now,
    )
