"""What a worker does behind the calls: events are numbered, linked and delivered."""

from collections.abc import Callable
from typing import Any

from grant_management.events.delivering import (
    NUMBERED_AT_ONCE,
    attempt,
    attempt_push,
    number_waiting,
)
from grant_management.models import EventChain, StreamDelivery, WebhookDelivery, publishing
from grant_management.models.delivery import Delivery

Measured = Callable[[Callable[[], Any]], dict[str, Any]]


def work_off(measured: Measured) -> dict[str, Any]:
    """Do all of it; by step how many events or deliveries, microseconds of CPU, and seconds."""
    return {name: _of(measured(step)) for name, step in _STEPS.items()}


def _of(found: dict[str, Any]) -> dict[str, Any]:
    return {"count": found["done"], "us": found["us"], "seconds": found["seconds"]}


def _all(step: Callable[[], int]) -> int:
    """The sum of its results, until one is 0."""
    return sum(iter(step, 0))


def _link() -> int:
    return EventChain.objects.extend(NUMBERED_AT_ONCE, publishing.add_batch)


def _deliver(objects: Any, make: Callable[[Any], Any]) -> Callable[[], int]:
    def next_one() -> int:
        claimed: Delivery | None = objects.claim()
        if claimed is None:
            return 0
        make(claimed)
        return 1

    return next_one


_STEPS: dict[str, Callable[[], int]] = {
    "numbered": lambda: _all(number_waiting),
    "linked": lambda: _all(_link),
    "webhooks": lambda: _all(_deliver(WebhookDelivery.objects, attempt)),
    "pushes": lambda: _all(_deliver(StreamDelivery.objects, attempt_push)),
}
