"""Sums of the daily counters over all clients: for them a chart of 90 days reads a row of each day,
not one of each client that had events on it.

The purge adds a day up once, when its counters can no longer change. A sum is a `DailyCount` of a
kind of its own, without a client ID. The newest one of a service says how far they go.
"""

from collections.abc import Collection, Iterator
from datetime import date, timedelta
from typing import Final

from django.db.models import Max, Sum

from ..db import primary
from .daily_count import TOTALS, DailyCount, Tally
from .service import Service

SETTLED: Final = timedelta(hours=1)
"""How long after a day its counters may change: clocks differ by less."""

Sums = Iterator[tuple[date, str, int]]
"""A day, a kind and the number of its events."""


def add_up(tally: Tally) -> None:
    """Add up the days that had ended when the events were last counted."""
    if tally.counted_until is None:
        return
    last = (tally.counted_until - SETTLED).date() - timedelta(days=1)
    for service in Service.objects.all():
        with primary.atomic():
            DailyCount.objects.bulk_create(_new(service, last), ignore_conflicts=True)


def _new(service: Service, last: date) -> list[DailyCount]:
    rows = DailyCount.objects.filter(service=service, day__lte=last)
    until = rows.totals().aggregate(day=Max("day"))["day"]
    if until == last:
        return []
    days = rows.filter(kind__in=TOTALS, day__gt=until or date.min)
    # The last day has sums in any case: they say that the days before it have theirs.
    numbers = {(kind, last): 0 for kind in TOTALS.values()}
    for kind, day, number in days.order_by().values_list("kind", "day").annotate(Sum("number")):
        numbers[TOTALS[kind], day] = number
    return [
        DailyCount(service=service, day=day, kind=kind, number=number)
        for (kind, day), number in numbers.items()
    ]


def sums(services: Collection[int], since: date) -> Sums:
    """The events of all clients since that day, in parts: 2 queries, or more where the sums of the
    services end on different days.
    """
    kept = DailyCount.objects.totals().filter(service__in=services, day__gte=since).order_by()
    named = {total: kind for kind, total in TOTALS.items()}
    until = dict.fromkeys(services, since - timedelta(days=1))
    for service, day, kind, number in kept.values_list("service_id", "day", "kind", "number"):
        until[service] = max(until[service], day)
        yield day, named[kind], number
    for last in set(until.values()):
        those = [service for service in services if until[service] == last]
        # The day is named once: of two conditions SQLite may look for the wider one in its index.
        newer = DailyCount.objects.filter(service__in=those, kind__in=TOTALS, day__gt=last)
        yield from newer.order_by().values_list("day", "kind").annotate(Sum("number"))
