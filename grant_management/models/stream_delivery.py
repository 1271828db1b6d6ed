"""Deliveries of streams: a SET on its way to a receiver, who is sent it, or fetches it."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self
from uuid import UUID

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ..db import apart, clock, primary
from ..db.ids import first_uuid7
from ..protocol.shared_signals import STREAM_UPDATED, VERIFICATION
from .delivery import Delivery, DeliveryQuerySet
from .event import NO_REASON, Actor, EventKind, GrantEvent, Reason
from .stream import VERIFIED_EVERY, Delivered, Stream, StreamStatus
from .webhook_attempt import Outcome

HELD: Final = datetime(9999, 12, 31, tzinfo=UTC)
"""When a SET is due that no worker is to send: one that is fetched, or of a paused stream.

So a worker that looks for what is due reads none of these rows.
"""
ENDED_FOR: Final = timedelta(hours=1)
"""How long what is pushed waits where its stream's API token has ended, before the next look."""


class StreamDisabled(Exception):
    """The stream is disabled, so nothing may be sent there or held for later (SSF §8.1.2.1)."""


class StreamDeliveryQuerySet(DeliveryQuerySet["StreamDelivery"]):
    """What is to be told, and what was."""

    to = "stream"
    reads = "stream__api_token"

    def sendable(self, now: datetime) -> Self:
        """Those of push streams that are enabled; and what says that a stream is not any more.

        Those of streams whose API token has ended are held when they are claimed.
        """
        may = Q(stream__status=StreamStatus.ENABLED) | Q(type=STREAM_UPDATED)
        push = Q(stream__method=Delivered.PUSH, stream__deleted_at=None)
        return self.filter(push, may)

    def claim(self) -> "StreamDelivery | None":
        """A delivery that is due; what waits for a receiver whose API token has ended is put off.

        Not for good: somebody may let the token live longer.
        """
        while row := super().claim():
            now = clock.now()
            if apart.is_away():  # what was joined is a copy
                del row.stream._state.fields_cache["api_token"]
            if row.stream.api_token.is_active(now):
                break
            ended = StreamDelivery.objects.filter(stream=row.stream, due_at__lte=now)
            ended.update(due_at=now + ENDED_FOR, claimed_until=None)
        return row

    def waiting(self) -> Self:
        """Those that are still on their way."""
        return self.filter(due_at__isnull=False)

    def pollable(self, stream: Stream) -> Self:
        """What the receiver may fetch now: of each grant the earliest that it did not confirm.

        SETs come back as members of a JSON object, which have no order.
        """
        return self.waiting_for(stream).in_order().order_by("number", "pk")

    def waiting_for(self, stream: Stream) -> Self:
        """What the stream's receiver did not confirm; of a paused stream only that it is paused."""
        rows = self.filter(stream=stream, due_at__isnull=False)
        is_open = stream.status == StreamStatus.ENABLED
        return rows if is_open else rows.filter(type=STREAM_UPDATED)

    def acknowledge(self, stream: Stream, keys: Collection[UUID], now: datetime) -> int:
        """The receiver has these SETs (RFC 8936 §2.2); how many of them were waiting."""
        ended = {"delivered_at": now, "outcome": Outcome.DELIVERED}
        return self._end(stream, keys, ended)

    def refuse(self, stream: Stream, keys: Collection[UUID], now: datetime) -> int:
        """The receiver refuses these SETs (RFC 8936 §2.6), so they are given up; how many."""
        return self._end(stream, keys, {"dead_at": now, "outcome": Outcome.NOT_ACCEPTED})

    def verify(self, stream: Stream, actor: Actor, state: str | None) -> bool:
        """Tell the stream a verification event; False: the last one was asked for just before.

        Stream.DoesNotExist: it was deleted. StreamDisabled: it would not be sent.
        """
        with primary.atomic():
            held, now = stream.hold()
            if held.status == StreamStatus.DISABLED:
                raise StreamDisabled
            if held.verified_at and held.verified_at > now - VERIFIED_EVERY:
                return False
            held.become({"verified_at": now})
            about = {"streamId": str(held.pk)}
            event = held.record(EventKind.STREAM_VERIFIED, actor, NO_REASON, **about)
            details = {} if state is None else {"state": state}
            self._tell(held, event, VERIFICATION, details)
        return True

    def set_status(
        self,
        stream: Stream,
        status: str,
        reason: str,
        actor: Actor,
        why: Reason = NO_REASON,
        *,
        is_told: bool = False,
    ) -> bool:
        """Set a stream's status; False: it has it. `is_told`: the receiver did not ask for it, so
        it is told (SSF §8.1.5).

        What a paused stream holds is delivered later; what a disabled one had is dropped (SSF
        §8.1.2). Stream.DoesNotExist: it was deleted.
        """
        with primary.atomic():
            held, now = stream.hold()
            if (held.status, held.reason) == (status, reason):
                return False
            before = held.status
            held.become({"status": status, "reason": reason})
            self.move(held, now)
            details = {"streamId": str(held.pk), "before": before, "after": status}
            event = held.record(EventKind.STREAM_CHANGED, actor, why, **details)
            if is_told:
                self._tell(held, event, STREAM_UPDATED, {"status": status})
        stream.become({"status": status, "reason": reason}, save=False)
        return True

    def move(self, stream: Stream, now: datetime) -> None:
        """Make what waits fit the stream, whose row is locked: drop it, hold it, or send it."""
        rows = StreamDelivery.objects.filter(stream=stream, due_at__isnull=False)
        if stream.status == StreamStatus.DISABLED:
            rows.exclude(type=STREAM_UPDATED).delete()
        elif stream.is_pushed:
            rows.filter(due_at=HELD).update(due_at=now)
        else:
            stays = Q(type=STREAM_UPDATED) if stream.method == Delivered.PUSH else Q(pk=None)
            rows.exclude(stays).update(due_at=HELD)

    def purge_undelivered(self, before: datetime, batch_size: int) -> int:
        """Delete what nobody fetched since before a moment; how many of at most so many."""
        old = self.filter(due_at__isnull=False, pk__lt=first_uuid7(before))
        keys = list(old.values_list("pk", flat=True)[:batch_size])
        StreamDelivery.objects.filter(pk__in=keys).delete()
        return len(keys)

    def _end(self, stream: Stream, keys: Collection[UUID], ended: dict[str, Any]) -> int:
        rows = self.filter(stream=stream, pk__in=keys, due_at__isnull=False)
        return rows.update(due_at=None, attempts=F("attempts") + 1, **ended)

    def _tell(self, stream: Stream, event: GrantEvent, kind: str, details: dict[str, Any]) -> None:
        """Plan what is told of the stream itself, whatever types of events it gets.

        A status takes the place of an earlier one that was not told yet, so that they cannot arrive
        in another order.
        """
        if kind == STREAM_UPDATED:
            waiting = Q(stream=stream, type=STREAM_UPDATED, due_at__isnull=False)
            StreamDelivery.objects.filter(waiting).delete()
        push = stream.method == Delivered.PUSH
        is_sent = push and (stream.is_pushed or kind == STREAM_UPDATED)
        due_at = event.at if is_sent else HELD
        row = StreamDelivery.about(event, stream=stream, type=kind, number=0, due_at=due_at)
        row.details = details
        row.save(force_insert=True)


class StreamDelivery(Delivery):
    """A SET for a stream; its `jti` is the key. `details`: of an event about the stream itself."""

    stream = models.ForeignKey(
        Stream, on_delete=models.CASCADE, db_index=False, verbose_name=_("stream")
    )
    type = models.CharField(_("type"), max_length=255)
    details = models.JSONField(default=dict)
    outcome = models.CharField(_("outcome"), max_length=20, choices=Outcome.choices, default="")

    objects = StreamDeliveryQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("stream delivery")
        verbose_name_plural = _("stream deliveries")
        constraints = [
            models.UniqueConstraint(fields=["stream", "event", "type"], name="gm_signal_unique")
        ]
        indexes = [
            models.Index(
                fields=["due_at", "number"],
                name="gm_signal_due",
                condition=Q(due_at__isnull=False),
            ),
            models.Index(
                fields=["stream", "grant_id", "number"],
                name="gm_signal_order",
                condition=Q(due_at__isnull=False),
            ),
            models.Index(
                fields=["stream", "number", "id"],
                name="gm_signal_poll",
                condition=Q(due_at__isnull=False),
            ),
            models.Index(
                fields=["event"], name="gm_signal_event", condition=Q(due_at__isnull=False)
            ),
        ]

    @classmethod
    def about(cls, event: GrantEvent, **fields: Any) -> Self:
        """An unsaved delivery of an event."""
        return cls(event=event.pk, created_at=event.at, **fields)

    def end_attempt(self, outcome: Outcome, now: datetime, retry_at: datetime | None) -> None:
        """Write how the attempt ended, unless another worker has claimed it meanwhile."""
        is_delivered = outcome is Outcome.DELIVERED
        fields = self.after_attempt(now, retry_at, is_delivered=is_delivered)
        rows = StreamDelivery.objects.filter(pk=self.pk, claimed_until=self.claimed_until)
        rows.filter(due_at__isnull=False).update(outcome=outcome, **fields)
