"""Deliveries: an event on its way to a webhook."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from ..db import clock, primary
from ..db.ids import first_uuid7, uuid7
from .event import NO_REASON, Actor, EventKind, GrantEvent, Reason
from .outbox import OutboxEntry
from .webhook import Webhook
from .webhook_attempt import Outcome, WebhookAttempt

LEASE: Final = timedelta(minutes=2)
"""A worker that has not said how an attempt ended for this long is taken to have stopped.

An attempt ends much sooner, so nothing is sent twice at a time.
"""
KEPT_FOR: Final = timedelta(days=30)
"""How long a delivery is kept after its end."""


class WebhookDeliveryQuerySet(primary.PrimaryQuerySet["WebhookDelivery"]):
    """What is to be sent, and what was."""

    def plan(self, rows: Iterable[OutboxEntry]) -> None:
        """Plan the deliveries of newly numbered rows, in the transaction that numbered them."""
        rows = list(rows)
        webhooks = _by_service({row.service_id for row in rows})
        if not webhooks:
            return
        events = GrantEvent.objects.in_bulk([row.event for row in rows])
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

    def due(self, now: datetime) -> Self:
        """The deliveries that may be attempted now.

        A grant's event waits until its earlier ones are delivered or dead.
        """
        same = {"webhook": OuterRef("webhook"), "grant_id": OuterRef("grant_id")}
        earlier = WebhookDelivery.objects.filter(
            **same, number__lt=OuterRef("number"), due_at__isnull=False
        )
        free = Q(claimed_until=None) | Q(claimed_until__lte=now)
        awake = Q(webhook__paused_until=None) | Q(webhook__paused_until__lte=now)
        in_order = Q(grant_id="") | ~Exists(earlier)
        return self.filter(
            free, awake, in_order, due_at__lte=now, webhook__disabled_at=None
        ).order_by("due_at", "number")

    def claim(self) -> "WebhookDelivery | None":
        """A delivery that is due, claimed for `LEASE`; None: there is none. Many may ask."""
        now = clock.now()
        if not self.due(now).exists():  # SQLite has one writer: do not become it for nothing
            return None
        with primary.atomic():
            rows = self.due(now).select_for_update(skip_locked=True, of=("self",))
            row = rows.select_related("webhook").first()
            if row is None or not row.webhook.claim_probe(now):
                return None
            row.claimed_until = now + LEASE
            row.save(update_fields=["claimed_until"])
        return row

    def again(self, webhook: Webhook, rows: Iterable[OutboxEntry], now: datetime) -> int:
        """Send events once more, as if for the first time; how many."""
        rows = list(rows)
        events = GrantEvent.objects.in_bulk([row.event for row in rows])
        wanted = [
            row for row in rows if row.event in events and webhook.wants(events[row.event].kind)
        ]
        planned = [_planned(webhook, events[row.event], row.number or 0, now) for row in wanted]
        fresh = {"due_at": now, "delivered_at": None, "dead_at": None, "attempts": 0}
        sent = self.filter(webhook=webhook, event__in=[row.event for row in wanted], due_at=None)
        sent.update(**fresh)
        self.bulk_create(planned, ignore_conflicts=True)
        return len(wanted)

    def in_state(self, state: str) -> Self:
        """Those that are `delivered`, `dead` or `pending`."""
        rules = {
            "delivered": Q(delivered_at__isnull=False),
            "dead": Q(delivered_at=None, dead_at__isnull=False),
            "pending": Q(due_at__isnull=False),
        }
        return self.filter(rules[state])

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

    def of_event(self) -> Self:
        """For a subquery on events: the deliveries of an event that are still on their way.

        Those to a disabled webhook are not: nobody knows for how long it is.
        """
        return self.filter(event=OuterRef("pk"), due_at__isnull=False, webhook__disabled_at=None)

    def purge_oldest(self, before: datetime, batch_size: int) -> int:
        """Delete what was delivered, or given up, before a moment, and the log of deleted webhooks;
        how many of at most so many.
        """
        ended = Q(delivered_at__lt=before) | Q(dead_at__lt=before)
        # By the key's time too, since there is no index of ends. Nothing ends before it begins.
        old = self.filter(ended, due_at=None, pk__lt=first_uuid7(before))
        left = self.filter(webhook__in=Webhook.objects.exclude(deleted_at=None).values("pk"))
        keys = [
            key for rows in (left, old) for key in rows.values_list("pk", flat=True)[:batch_size]
        ]
        WebhookDelivery.objects.filter(pk__in=keys).delete()
        return len(keys)


class WebhookDelivery(models.Model):
    """An event for a webhook. `due_at`: when it is attempted next; None: delivered, or given up."""

    id = models.UUIDField(_("ID"), primary_key=True, default=uuid7)
    webhook = models.ForeignKey(
        Webhook, on_delete=models.CASCADE, db_index=False, verbose_name=_("webhook")
    )
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

    def __str__(self) -> str:
        return f"{self.type} {self.event}"

    @property
    def state(self) -> str:
        """`delivered`, `dead` or `pending`."""
        if self.delivered_at is not None:
            return "delivered"
        return "dead" if self.dead_at is not None else "pending"

    def event_fields(self) -> dict[str, Any]:
        """The lookups by which events about it are found: those of its webhook."""
        return self.webhook.event_fields()

    def replay(self, actor: Actor, why: Reason) -> bool:
        """Send it once more; False: it is on its way, or its event was purged."""
        rows = OutboxEntry.objects.filter(event=self.event).exclude(number=None)
        known = rows.filter(service=self.webhook.service_id)
        if self.due_at is not None or not known.exists():
            return False
        return WebhookDelivery.objects.replay(self.webhook, actor, known, why) == 1

    def end_attempt(
        self, outcome: Outcome, now: datetime, retry_at: datetime | None, **attempt: Any
    ) -> None:
        """Write how the attempt ended. `retry_at`: when the next one is; None: it was the last.

        If another worker has claimed it meanwhile, only the attempt is written.
        """
        with primary.atomic():
            fields: dict[str, Any] = {"attempts": self.attempts + 1, "claimed_until": None}
            fields["due_at"] = retry_at
            if outcome is Outcome.DELIVERED:
                fields |= {"due_at": None, "delivered_at": now}
            elif retry_at is None:
                fields["dead_at"] = now
            rows = WebhookDelivery.objects.filter(pk=self.pk)
            if rows.exists():  # else its webhook was deleted meanwhile
                WebhookAttempt.objects.create(delivery=self, outcome=outcome, **attempt)
                rows.filter(claimed_until=self.claimed_until).update(**fields)


def _by_service(numbers: set[int]) -> dict[int, list[Webhook]]:
    found: dict[int, list[Webhook]] = {}
    for webhook in Webhook.objects.filter(service__in=numbers, disabled_at=None):
        found.setdefault(webhook.service_id, []).append(webhook)
    return found


def _planned(webhook: Webhook, event: GrantEvent, number: int, now: datetime) -> WebhookDelivery:
    return WebhookDelivery(
        webhook=webhook,
        event=event.pk,
        type=event.payload().type,
        grant_id=event.grant_id,
        number=number,
        created_at=now,
        due_at=now,
    )
