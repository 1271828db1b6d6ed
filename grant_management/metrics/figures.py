"""Figures that only the database knows: what waits to be purged, numbered or sent."""

import threading
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.db import connections
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ..db import apart, clock
from ..db.failures import settle
from ..db.write_slots import uncounted
from ..models import (
    GrantEvent,
    OutboxEntry,
    PurgeRun,
    Service,
    Stream,
    StreamDelivery,
    Webhook,
    WebhookDelivery,
)
from ..models.purge import EXPIRING, expired
from ..models.stream import StreamStatus
from ..protocol import times

KEPT_FOR: Final = 30.0
"""Seconds that figures are used again, however often somebody asks."""
MOST: Final = 10_000
"""Rows of a table that are counted at most."""
SERVICES: Final = 100
"""Services whose rows are counted, at most."""
DELIVERIES: Final = (WebhookDelivery, StreamDelivery)
Figures = dict[str, tuple[str, str, dict[str, float]]]
"""By the name of a metric: what it is, the name of its label or "", and its values by label."""


class DatabaseFigures(Collector):
    """The figures, read from the database where they are older than `KEPT_FOR`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: Figures = {}
        self._read_at = 0.0

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One gauge for each figure; where the database fails, only that it does."""
        for name, (text, label, values) in self._figures().items():
            family = GaugeMetricFamily(name, text, labels=[label] if label else [])
            for value, number in values.items():
                family.add_metric([value] if label else [], number)
            yield family

    def _figures(self) -> Figures:
        with self._lock:
            if not self._read_at or time.monotonic() - self._read_at > KEPT_FOR:
                self._known, self._read_at = _read(), time.monotonic()
            return self._known


def _read() -> Figures:
    """All figures. Connections that this thread did not have before are closed afterwards."""
    before = _connected()
    up = "Whether the database answered when its figures were read."
    try:
        with uncounted():
            return {"grant_management_database_up": (up, "", {"": 1.0}), **_read_all()}
    except Exception as error:  # noqa: BLE001 - the answer to Prometheus must go out
        settle(error)
        return {"grant_management_database_up": (up, "", {"": 0.0})}
    finally:
        for alias in _connected() - before:
            connections[alias].close()


def _read_all() -> Figures:
    """Where services live apart, these are the first database's."""
    with apart.database(apart.first()):
        return {**_purge(), **_outbox(), **_deliveries()}


def _connected() -> set[str]:
    return {one.alias for one in connections.all(initialized_only=True) if one.connection}


def _purge() -> Figures:
    last = PurgeRun.objects.latest_run()
    return {
        "grant_management_purge_backlog": (
            f"Expired rows that a purge would delete, up to {MOST} a table.",
            "table",
            _backlog(clock.now()),
        ),
        "grant_management_purge_last_timestamp_seconds": (
            "When the last purge ended; 0: none did.",
            "",
            {"": times.to_seconds(last.finished_at) if last.finished_at else 0.0},
        ),
        "grant_management_purge_last_deleted": (
            "Rows that the last purge deleted.",
            "",
            {"": float(last.deleted)},
        ),
    }


def _backlog(now: datetime) -> dict[str, float]:
    services = list(Service.objects.order_by("pk")[:SERVICES])
    counted = {}
    for model in EXPIRING:
        left = MOST
        for service in services:
            if left > 0:
                left -= expired(model, service, now)[:left].count()
        counted[str(model._meta.model_name)] = float(MOST - left)
    return counted


def _outbox() -> Figures:
    now = clock.now()
    first = OutboxEntry.objects.waiting().order_by("pk").first()
    known = {"service": first.service_id, "pk": first.event} if first else {}
    event = GrantEvent.objects.filter(**known).only("at").first() if known else None
    return {
        "grant_management_outbox_age_seconds": (
            "Seconds since the oldest event that has no number yet; 0: none waits.",
            "",
            {"": _since(event.at, now) if event else 0.0},
        ),
    }


def _deliveries() -> Figures:
    now = clock.now()
    return {
        "grant_management_delivery_overdue_seconds": (
            "Seconds since the delivery was due that waits longest; 0: none is due.",
            "to",
            {model.objects.all().to: _overdue(model, now) for model in DELIVERIES},
        ),
        "grant_management_deliveries_dead": (
            f"Deliveries that were given up, among the newest {MOST}.",
            "to",
            {model.objects.all().to: _dead(model) for model in DELIVERIES},
        ),
        "grant_management_receivers_disabled": (
            "Webhooks and streams that are disabled.",
            "to",
            _disabled(),
        ),
    }


def _overdue(model: Any, now: datetime) -> float:
    """Also while its receiver hangs, for which the deliveries wait."""
    first = model.objects.overdue(now).first()
    return _since(first.due_at, now) if first else 0.0


def _dead(model: Any) -> float:
    """There is no index of what is dead, so no more rows than that are read."""
    newest = model.objects.order_by("-pk").values("pk")[:MOST]
    return float(model.objects.filter(pk__in=newest).in_state("dead").count())


def _disabled() -> dict[str, float]:
    webhooks = Webhook.objects.filter(deleted_at=None).exclude(disabled_at=None)
    streams = Stream.objects.filter(deleted_at=None, status=StreamStatus.DISABLED)
    return {
        "webhook": float(webhooks[:MOST].count()),
        "stream": float(streams[:MOST].count()),
    }


def _since(at: datetime, now: datetime) -> float:
    return max(0.0, (now - at).total_seconds())
