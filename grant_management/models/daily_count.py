"""Counters of events by day and client, which the overview page draws.

They are updated after the events, not in the same transaction, so that a revoke never waits for a
counter. They include the events up to `Tally.counted_until`.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, Final, Self

from django.db import models
from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from ..db import clock, primary
from ..db.ids import first_uuid7
from ..db.of_service import at_services
from ..db.periods import date_of
from ..db.service_row import OfService
from . import hourly_count
from .event import GrantEvent
from .grant import Grant, GrantQuerySet, GrantStatus
from .hourly_count import HourlyCount
from .service import Service

LIVE: Final = "live"
"""The kind of the counters of active grants. Only those of the last count are kept."""
TOTALS: Final = {"created": "created_total", "revoked": "revoked_total"}
"""The kinds that `daily_total` adds up over all clients, each with the kind of its sums."""
LONGEST: Final = 600
"""Seconds that a count of the active grants may take: it reads a whole table."""
DAY: Final = date_of("at")
SETTLED: Final = timedelta(seconds=60)
"""The age at which events are counted: by then every transaction that writes events has ended."""
FRESH: Final = timedelta(seconds=5)
"""A page that is opened so soon after a count shows that one, and counts no others."""


class DailyCountQuerySet(primary.PrimaryQuerySet["DailyCount"]):
    """The store of counters."""

    def live(self) -> Self:
        """The counters of active grants."""
        return self.filter(kind=LIVE)

    def totals(self) -> Self:
        """The sums over all clients."""
        return self.filter(kind__in=TOTALS.values())


class DailyCount(OfService):
    """How many events of a kind a client had on a day (UTC)."""

    service = models.ForeignKey(
        Service, on_delete=models.CASCADE, db_index=False, verbose_name=_("service")
    )
    day = models.DateField(_("day"))
    client_id = models.CharField(_("client ID"), max_length=255, blank=True, default="")
    kind = models.CharField(_("what"), max_length=20)
    number = models.PositiveBigIntegerField(_("number"))

    objects = DailyCountQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("daily count")
        verbose_name_plural = _("overview")
        constraints = [
            models.UniqueConstraint(
                fields=["service", "kind", "day", "client_id"], name="gm_daily_count_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.client_id} {self.kind}: {self.number}"


class Tally(models.Model):
    """How far the events have been counted: a table of one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    counted_until = models.DateTimeField(null=True)
    hours_until = models.DateTimeField(null=True)
    live_at = models.DateTimeField(null=True)

    objects = primary.PrimaryManager["Tally"]()

    class Meta:
        base_manager_name = "objects"

    def __str__(self) -> str:
        return str(self.counted_until)

    @classmethod
    def current(cls, now: datetime) -> "Tally":
        """The tally of a page that is opened now: after counting the new events, unless they were
        counted just now (`FRESH`) or another caller is counting them.
        """
        tally = cls.objects.first()
        until = tally and tally.counted_until
        if tally and until and now - SETTLED - until < FRESH:
            return tally
        return cls._count_events(skip_locked=True)

    @classmethod
    def count_events(cls) -> "Tally":
        """Count the events since the last count. Concurrent callers wait, and then find none."""
        return cls._count_events(skip_locked=False)

    @classmethod
    def count_live(cls) -> "Tally":
        """Count the active grants of each client. It reads all grants, so no page calls it.

        The grants of a service are counted before anything is locked.
        """
        now = clock.now()
        for service in Service.objects.all():
            with primary.long_read(LONGEST):
                counted = list(_live(service, now))
            with primary.atomic():  # so that no page sees only a part of them
                DailyCount.objects.live().filter(service=service).delete()
                DailyCount.objects.bulk_create(counted, batch_size=500)
        return cls._moved(live_at=now)

    @classmethod
    def _count_events(cls, *, skip_locked: bool) -> "Tally":
        until = clock.now() - SETTLED
        with primary.atomic():
            tally = cls._locked(skip_locked=skip_locked)
            if tally is None:
                return cls.objects.get()
            if tally.counted_until is None or tally.counted_until < until:
                services = list(Service.objects.values_list("pk", flat=True))
                new = _new_events(services, tally.counted_until, until, DAY)
                _forget_totals(_add(DailyCount, "day", new), until.date())
                tally._count_hours(services, until)
                tally.counted_until = until
                tally.save(update_fields=["counted_until", "hours_until"])
        return tally

    def _count_hours(self, services: list[int], until: datetime) -> None:
        """Count the events by hour, of the hours that are kept; the others are deleted."""
        oldest = until - hourly_count.KEPT
        since = oldest if self.hours_until is None else max(self.hours_until, oldest)
        _add(HourlyCount, "hour", _new_events(services, since, until, hourly_count.HOUR))
        if since.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1) <= until:
            everywhere = Service.objects.values("pk")
            HourlyCount.objects.filter(at_services(everywhere), hour__lt=oldest).delete()
        self.hours_until = until

    @classmethod
    def _locked(cls, *, skip_locked: bool) -> "Tally | None":
        """The row, locked; None: it is locked elsewhere, and `skip_locked` is set."""
        rows = cls.objects.select_for_update(skip_locked=skip_locked)
        found = rows.first()
        if found is not None or cls.objects.exists():
            return found
        # Another process may insert it at the same moment.
        Tally.objects.bulk_create([Tally()], ignore_conflicts=True)
        return rows.first()

    @classmethod
    def _moved(cls, **stamps: datetime) -> "Tally":
        with primary.atomic():
            cls._locked(skip_locked=False)
            cls.objects.update(**stamps)
        return cls.objects.get()


def _new_events(
    services: list[int], since: datetime | None, until: datetime, period: Any
) -> Iterable[Any]:
    """The numbers of events by day or hour, of a time that is looked for in their keys.

    The primary key has the events of each service in the order of time.
    """
    events = GrantEvent.objects.filter(at_services(services), pk__lt=first_uuid7(until))
    if since is not None:
        events = events.filter(pk__gte=first_uuid7(since))
    groups = events.order_by().values("service_id", "client_id", "kind", period=period)
    return groups.annotate(number=Count("pk"))


def _add(model: type[models.Model], period: str, groups: Iterable[Any]) -> dict[int, Any]:
    """Add each group to its counter by one statement, so that concurrent additions all count.

    It gives the earliest period of each service.
    """
    connection = primary.connection()
    table = connection.ops.quote_name(model._meta.db_table)
    sql = (
        f"INSERT INTO {table} (service_id, kind, {period}, client_id, number)"  # noqa: S608 - our names
        f" VALUES (%s, %s, %s, %s, %s) ON CONFLICT (service_id, kind, {period}, client_id)"
        f" DO UPDATE SET number = {table}.number + EXCLUDED.number"
    )
    names = ("service_id", "kind", "period", "client_id", "number")
    field: Any = model._meta.get_field(period)
    groups = list(groups)
    if not groups:
        return {}
    with connection.cursor() as cursor:
        rows = [[group[name] for name in names] for group in groups]
        for row in rows:
            row[2] = field.get_db_prep_value(row[2], connection)
        cursor.executemany(sql, rows)
    first: dict[int, Any] = {}
    for group in groups:
        service, at = group["service_id"], group["period"]
        first[service] = min(first.get(service, at), at)
    return first


def _forget_totals(first: dict[int, date], today: date) -> None:
    """Delete the sums of days to which an event was added after all: they are made again."""
    for service, day in first.items():
        if day < today:
            DailyCount.objects.totals().filter(service=service, day__gte=day).delete()


def active_by_client(grants: GrantQuerySet, now: datetime) -> Iterable[tuple[int, str, int]]:
    """The number of active grants by service and client ID; reads all of these grants."""
    active = grants.with_status(GrantStatus.ACTIVE, now).order_by()
    return active.values_list("service_id", "client__client_id").annotate(Count("pk"))


def _live(service: Service, now: datetime) -> Iterable[DailyCount]:
    day, grants = now.date(), Grant.objects.filter(service=service)
    for _service, client_id, number in active_by_client(grants, now):
        yield DailyCount(service=service, day=day, client_id=client_id, kind=LIVE, number=number)
