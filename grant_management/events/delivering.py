"""Delivers events to webhooks and streams: numbers them, and sends what is due.

Several workers may do it.
"""

import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from .. import observation, tracing
from ..conf import app_settings
from ..db import clock, encryption
from ..models import (
    Actor,
    EventChain,
    GrantEvent,
    OutboxEntry,
    StreamDelivery,
    WebhookDelivery,
    publishing,
)
from ..models.delivery import D, Delivery
from ..models.event import ActorKind
from ..models.receiver import Receiver
from ..models.stream_plan import plan_signals
from ..models.webhook_attempt import Outcome
from ..models.webhook_key import signatures
from ..protocol import times
from . import sending
from .pushing import push

NUMBERED_AT_ONCE: Final = 500
RECEIVER: Final = Actor(ActorKind.SYSTEM, "the webhook's receiver")
"""The actor of the event where a receiver answers 410."""
UNANSWERED: Final = frozenset(
    {Outcome.TIMED_OUT, Outcome.NOT_CONNECTED, Outcome.NOT_TRUSTED, Outcome.NOT_RESOLVED}
)
SLOW: Final = 1.0
OTHERS: Final = 3
"""After an answer that took longer than `SLOW` seconds the others get so many times as long."""


def deliver_next() -> bool:
    """Number and chain what waits, then attempt what is due, one for a webhook and one for a
    stream; False: nothing to do.
    """
    numbered = number_waiting()
    attempted = [_attempt_next(WebhookDelivery.objects.claim(), attempt)]
    attempted += [_attempt_next(StreamDelivery.objects.claim(), attempt_push)]
    # Not for each delivery: it looks at every chain.
    linked = 0 if any(attempted) else _link()
    return bool(numbered or linked or any(attempted))


def _link() -> int:
    return EventChain.objects.extend(NUMBERED_AT_ONCE, publishing.add_batch)


def number_waiting() -> int:
    """Number events that wait, and plan their deliveries; how many events."""
    if not OutboxEntry.objects.waiting().exists():
        return 0
    return OutboxEntry.objects.assign_numbers(NUMBERED_AT_ONCE, _plan)


def _plan(rows: list[OutboxEntry]) -> None:
    WebhookDelivery.objects.plan(rows)
    plan_signals(rows)


def _attempt_next(claimed: D | None, make: Callable[[D], Outcome]) -> bool:
    if claimed is not None:
        make(claimed)
    return claimed is not None


def attempt(delivery: WebhookDelivery) -> Outcome:
    """Attempt a delivery that this worker has claimed, outside of any transaction."""
    began, started = clock.now(), time.monotonic()
    outcome, status = _sent(delivery, began)
    now = clock.now()
    retry_at = _retry_at(delivery, outcome, now)
    delivery.end_attempt(
        outcome,
        now,
        retry_at,
        at=began,
        status=status,
        milliseconds=round(1_000 * (time.monotonic() - started)),
    )
    _judge(delivery.webhook, outcome, now, time.monotonic() - started)
    if outcome is Outcome.GONE:
        delivery.webhook.disable(RECEIVER)
    _count(delivery, outcome, retry_at)
    return outcome


def attempt_push(delivery: StreamDelivery) -> Outcome:
    """The same for a SET of a stream."""
    started = time.monotonic()
    outcome = push(delivery)
    now = clock.now()
    retry_at = _retry_at(delivery, outcome, now)
    delivery.end_attempt(outcome, now, retry_at)
    _judge(delivery.stream, outcome, now, time.monotonic() - started)
    _count(delivery, outcome, retry_at)
    return outcome


def _count(delivery: Delivery, outcome: Outcome, retry_at: datetime | None) -> None:
    """Tell the observer how the attempt ended."""
    if observation.observer is not None:
        is_dead = retry_at is None and outcome is not Outcome.DELIVERED
        to = "webhook" if isinstance(delivery, WebhookDelivery) else "stream"
        observation.observer.attempted(to, outcome.value, is_dead=is_dead)


def _judge(receiver: Receiver, outcome: Outcome, now: datetime, seconds: float) -> None:
    """What the outcome says of the receiver, and how long it took."""
    if outcome in UNANSWERED:
        receiver.note_failure(now)
    else:
        is_slow = seconds > SLOW
        receiver.note_answer(now + timedelta(seconds=OTHERS * seconds) if is_slow else None)


def _sent(delivery: WebhookDelivery, now: datetime) -> tuple[Outcome, int | None]:
    event = GrantEvent.objects.filter(
        service=delivery.webhook.service_id, pk=delivery.event
    ).first()
    if event is None:
        return Outcome.NO_EVENT, None
    body = event.payload().as_json().encode()
    try:
        headers, parent = _headers(delivery, now, body), tracing.carried(event.details)
        answer = sending.post(delivery.webhook.url, body, headers, parent)
    except encryption.CannotDecrypt:
        return Outcome.NO_KEY, None
    except sending.NotSent as error:
        return error.outcome, None
    return _outcome_of(answer.status), answer.status


def _headers(delivery: WebhookDelivery, now: datetime, body: bytes) -> dict[str, str]:
    """Those of Standard Webhooks; `webhook-id` is the event's ID, the same in each attempt."""
    message_id, timestamp = str(delivery.event), times.to_seconds(now)
    return {
        "Content-Type": "application/json",
        "User-Agent": "django-grant-management",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(timestamp)),
        "webhook-signature": signatures(delivery.webhook_id, message_id, now, int(timestamp), body),
    }


def _outcome_of(status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome.DELIVERED
    if 300 <= status < 400:
        return Outcome.REDIRECTED
    return Outcome.GONE if status == 410 else Outcome.REFUSED


def _retry_at(delivery: Delivery, outcome: Outcome, now: datetime) -> datetime | None:
    """When the next attempt is due; None: there is none."""
    delays = app_settings.webhook_retries
    if outcome.is_final or delivery.attempts >= len(delays):
        return None
    # Differing times, so that what failed together does not come back together.
    seconds = delays[delivery.attempts] * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
    return now + timedelta(seconds=seconds)
