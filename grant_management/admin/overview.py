"""The overview, the first page of an operator's shift: figures with links to lists, and bars with a
table of their numbers.
"""

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from ..db import clock
from ..db.counting import COUNT_LIMIT, bounded_count, shown_number
from ..db.ids import first_uuid7
from ..models import (
    AccessToken,
    Call,
    Client,
    DailyCount,
    EventKind,
    Grant,
    GrantEvent,
    PurgeRun,
    Service,
    Tally,
)
from ..models.daily_count import DailyCountQuerySet, live_by_client
from .call import DONE
from .first_run import is_empty, may_begin
from .kit.display import time_tag
from .kit.making import checklist
from .kit.read_only import ReadOnlyAdmin, limited, number

DAYS: Final = 30
TOP: Final = 10
BAR: Final = 100
"""Height of the highest bar, in units of the drawing."""


@admin.register(DailyCount)
class OverviewAdmin(ReadOnlyAdmin[DailyCount]):
    """The overview, in place of a list of counters and of pages for each counter."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The overview of the service that `service` in the query names, or else of the first."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        now = clock.now()
        services = limited(Service.objects.order_by("name", "pk"), request, "organization")
        service = _chosen(request, services)
        if service is None and is_empty() and may_begin(request):
            return HttpResponseRedirect(checklist(self))
        context: dict[str, Any] = {"services": services[:100], "service": service}
        if service is not None:
            tally = Tally.current()
            counts = DailyCount.objects.filter(service=service)
            clients, live_at = _live(service, counts, tally, now)
            context |= {
                "figures": self._figures(service, clients, now),
                "days": _days(counts, now.date()),
                "codes": _codes(service, now),
                "clients": clients.most_common(TOP),
                "cut_offs": _cut_offs(service),
                "backlog": shown_number(_backlog(service, now)),
                "counted": time_tag(tally.counted_until),
                "live_at": time_tag(live_at),
                "purge": _last_purge(),
            }
        return self.page(request, "overview.html", _("Overview"), **context)

    def _figures(
        self, service: Service, clients: Counter[str], now: datetime
    ) -> list[tuple[Any, str, str]]:
        """The figures: for each one a label, a number and the URL of the list behind it."""
        today = now.date().isoformat()
        hour = Call.objects.filter(service=service, pk__gte=first_uuid7(now - timedelta(hours=1)))
        week = Grant.objects.filter(service=service, revoked_at=None)
        ending = week.filter(expires_at__gt=now, expires_at__lte=now + timedelta(days=7))
        return [
            (
                _("active grants"),
                f"{clients.total():,}",
                self._list("grant", service, status="active"),
            ),
            (
                _("revoked today (UTC)"),
                _bounded(_revoked_today(service, now)),
                self._list("grantevent", service, kind="revoked", since=today),
            ),
            (
                _("refused calls in the last hour"),
                _bounded(hour.exclude(code__in=DONE).order_by("-pk")),
                self._list("call", service, outcome="refused", since=today),
            ),
            (
                _("expiring this week"),
                _bounded(ending.order_by("expires_at")),
                self._list("grant", service, status="active", expires_within="7"),
            ),
        ]

    def _list(self, model: str, service: Service, **filters: str) -> str:
        name = f"admin:grant_management_{model}_changelist"
        url = reverse(name, current_app=self.admin_site.name)
        return f"{url}?{urlencode({'service': service.pk, **filters})}"


def _chosen(request: HttpRequest, services: "QuerySet[Service]") -> Service | None:
    chosen = number(request.GET.get("service", ""))
    return services.first() if chosen is None else services.filter(pk=chosen).first()


def _live(
    service: Service, counts: DailyCountQuerySet, tally: Tally, now: datetime
) -> tuple[Counter[str], datetime | None]:
    """The number of active grants of each client ID, and the time of the count.

    They are counted now where the service has at most `COUNT_LIMIT` grants; else the numbers are
    those of the last purge (None: no purge has counted yet).
    """
    grants = Grant.objects.filter(service=service)
    if bounded_count(grants.order_by("-created_at")) <= COUNT_LIMIT:
        return Counter(dict(live_by_client(service, now))), now
    return Counter(dict(counts.live().values_list("client_id", "number"))), tally.live_at


def _bounded(rows: "QuerySet[Any]") -> str:
    return shown_number(bounded_count(rows))


def _revoked_today(service: Service, now: datetime) -> "QuerySet[GrantEvent]":
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    events = GrantEvent.objects.filter(service=service, at__gte=midnight)
    return events.filter(kind=EventKind.REVOKED).order_by("-at")


def _days(counts: "QuerySet[DailyCount]", today: date) -> list[dict[str, Any]]:
    """The last `DAYS` days, oldest first: grants created and revoked, as numbers and bars."""
    since = today - timedelta(days=DAYS - 1)
    rows = counts.filter(day__gte=since, kind__in=(EventKind.CREATED, EventKind.REVOKED))
    sums = {
        (row["day"], row["kind"]): row["sum"]
        for row in rows.values("day", "kind").annotate(sum=Sum("number"))
    }
    highest = max(sums.values(), default=0) or 1
    return [_day(since + timedelta(days=n), n, sums, highest) for n in range(DAYS)]


def _day(day: date, place: int, sums: dict[Any, int], highest: int) -> dict[str, Any]:
    # 20 units a day: the template's drawing is 600 units wide, for 30 days.
    shown: dict[str, Any] = {"day": day, "x": place * 20}
    for name, kind in (("created", EventKind.CREATED), ("revoked", EventKind.REVOKED)):
        number = sums.get((day, kind), 0)
        height = round(number / highest * BAR) if number else 0
        # At least 1 unit, so that a small number does not look like none.
        shown[name] = {"number": number, "height": max(height, 1) if number else 0}
        shown[name]["y"] = BAR - shown[name]["height"]
    return shown


def _codes(service: Service, now: datetime) -> list[Any]:
    """The most frequent codes of the calls refused in the last 24 hours, with their numbers."""
    since = first_uuid7(now - timedelta(days=1))
    calls = Call.objects.filter(service=service, pk__gte=since).exclude(code__in=DONE)
    newest = calls.order_by("-pk").values("pk")[:COUNT_LIMIT]
    codes = Call.objects.filter(pk__in=newest).values("code").annotate(number=Count("pk"))
    return list(codes.order_by("-number")[:TOP])


def _cut_offs(service: Service) -> list[tuple[str, Any]]:
    """The service and the clients that are cut off, with the cut-offs; at most `TOP` clients."""
    clients = Client.objects.filter(service=service).exclude(not_before=None)
    shown: list[Service | Client] = [service] if service.not_before else []
    shown += clients.order_by("-not_before")[:TOP]
    return [(str(one), time_tag(one.not_before)) for one in shown]


def _last_purge() -> dict[str, Any] | None:
    """When the last purge ended, the rows that it deleted, and its seconds; None: none ended."""
    run = PurgeRun.objects.latest_run()
    if run.finished_at is None:
        return None
    seconds = f"{run.took.total_seconds():,.1f}"
    return {"at": time_tag(run.finished_at), "deleted": f"{run.deleted:,}", "seconds": seconds}


def _backlog(service: Service, now: datetime) -> int:
    """The number of expired access tokens, which the purge could delete: a bounded count."""
    expired = AccessToken.objects.filter(service=service, expires_at__lte=now)
    return bounded_count(expired.order_by("expires_at"))
