"""Counters for each day and client, kept with the events: what the overview draws.

They are counted behind the events, not with them, so that a revoke waits for no counter; what
they say is as of `Tally.counted_until`.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Self

from django.db import models
from django.db.models import Count, Sum
from django.db.models.functions import TruncDate
from django.utils.translation import gettext_lazy as _

from ..db import clock, primary
from ..db.ids import first_uuid7
from .event import EventKind, GrantEvent
from .grant import Grant, GrantStatus
from .service import Service

LIVE: Final = "live"
"""The kind of the counters of grants that are neither revoked nor expired: one day's, the last."""
SETTLED: Final = timedelta(seconds=60)
"""A transaction that writes events is over by then; what is younger is counted the next time."""


class DailyCountQuerySet(primary.PrimaryQuerySet["DailyCount"]):
    """What was counted."""

    def by_day(self, kind: EventKind, since: date) -> dict[date, int]:
        """How many there were on each day that had any."""
        rows = self.filter(kind=kind, day__gte=since).values("day").annotate(sum=Sum("number"))
        return {row["day"]: row["sum"] for row in rows}

    def live(self) -> Self:
        """The live grants of each client."""
        return self.filter(kind=LIVE)


class DailyCount(models.Model):
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
    """How far the counting has come: one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    counted_until = models.DateTimeField(null=True)
    live_at = models.DateTimeField(null=True)

    objects = primary.PrimaryManager["Tally"]()

    class Meta:
        base_manager_name = "objects"

    def __str__(self) -> str:
        return str(self.counted_until)

    @classmethod
    def current(cls) -> "Tally":
        """How far it is; counted a little further where nobody else is about to."""
        return cls._count_events(skip_locked=True)

    @classmethod
    def count_events(cls) -> "Tally":
        """Count what was written since the last time; of many callers one does, the others wait."""
        return cls._count_events(skip_locked=False)

    @classmethod
    def count_live(cls) -> "Tally":
        """Count the live grants of each client: reads all of them, so not on a page.

        They are counted before anything is locked, a service at a time.
        """
        now = clock.now()
        for service in Service.objects.all():
            counted = list(_live(service, now))
            with primary.atomic():
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
                _add(_new_events(tally.counted_until, until))
                tally.counted_until = until
                tally.save(update_fields=["counted_until"])
        return tally

    @classmethod
    def _locked(cls, *, skip_locked: bool) -> "Tally | None":
        """The row; None: somebody else has it."""
        rows = cls.objects.all()
        if not rows.exists():
            Tally.objects.bulk_create([Tally()], ignore_conflicts=True)
        return rows.select_for_update(skip_locked=skip_locked).first()

    @classmethod
    def _moved(cls, **stamps: datetime) -> "Tally":
        with primary.atomic():
            cls._locked(skip_locked=False)
            cls.objects.update(**stamps)
        return cls.objects.get()


def _new_events(since: datetime | None, until: datetime) -> Iterable[Any]:
    """By the time in their keys, which is when they were written; `at` may be earlier."""
    events = GrantEvent.objects.filter(pk__lt=first_uuid7(until))
    if since is not None:
        events = events.filter(pk__gte=first_uuid7(since))
    day = TruncDate("at", tzinfo=UTC)
    groups = events.order_by().values("service_id", "client_id", "kind", day=day)
    return groups.annotate(number=Count("pk")).iterator()


def _add(groups: Iterable[Any]) -> None:
    """Each in one statement, so that no two callers count from the same number."""
    connection = primary.connection()
    table = connection.ops.quote_name(DailyCount._meta.db_table)
    sql = (
        f"INSERT INTO {table} (service_id, kind, day, client_id, number)"  # noqa: S608 - our names
        " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (service_id, kind, day, client_id)"
        f" DO UPDATE SET number = {table}.number + EXCLUDED.number"
    )
    names = ("service_id", "kind", "day", "client_id", "number")
    with connection.cursor() as cursor:
        cursor.executemany(sql, [[group[name] for name in names] for group in groups])


def live_by_client(service: Service, now: datetime) -> Iterable[tuple[str, int]]:
    """The active grants of each client: reads all of the service."""
    live = Grant.objects.filter(service=service).with_status(GrantStatus.ACTIVE, now)
    return live.order_by().values_list("client__client_id").annotate(Count("pk"))


def _live(service: Service, now: datetime) -> Iterable[DailyCount]:
    day = now.date()
    for client_id, number in live_by_client(service, now):
        yield DailyCount(service=service, day=day, client_id=client_id, kind=LIVE, number=number)
