"""The charts of the overview and of a client's page: what happened to grants, and how calls were
answered, per hour or per
day. They can be drawn of all clients or of one.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import Count, Sum
from django.http import HttpRequest
from django.utils.translation import gettext as _

from ..conf import app_settings
from ..db.periods import day_of, hour_of
from ..models import EventKind, HourlyCount, Service
from ..models.daily_total import sums
from .kit.chart import Chart, Series
from .kit.periods import LENGTHS
from .kit.utc import exact
from .overview_figures import DONE, View
from .related import Listed, advice_url, code_url

PERIODS: Final = {"24h": 24, "7d": 7, "30d": 30, "90d": 90}
"""The periods of charts, with their numbers of hours or days."""
DEFAULT: Final = "30d"
TOP: Final = 10
"""The most codes, and the most clients, that a page lists."""


@dataclass(frozen=True)
class Axis:
    """The places of the horizontal axis: hours or days (UTC) up to now."""

    period: str
    now: datetime

    @property
    def is_hourly(self) -> bool:
        """Whether a place is an hour."""
        return self.period == "24h"

    @property
    def length(self) -> timedelta:
        """The length of a place."""
        return timedelta(hours=1) if self.is_hourly else timedelta(days=1)

    @cached_property
    def starts(self) -> list[datetime]:
        """Where each place begins, the oldest first."""
        last = self.now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        last = last if self.is_hourly else last.replace(hour=0)
        number = PERIODS[self.period]
        return [last - self.length * n for n in reversed(range(number))]

    def places(self) -> list[str]:
        """The labels of the places."""
        shape = "%Y-%m-%d %H:%M UTC" if self.is_hourly else "%Y-%m-%d"
        return [f"{start:{shape}}" for start in self.starts]

    def marks(self) -> list[str]:
        """The short labels of the places."""
        return [f"{start:{'%H:%M' if self.is_hourly else '%m-%d'}}" for start in self.starts]

    def label(self) -> str:
        """What the axis shows."""
        return _("Hour (UTC)") if self.is_hourly else _("Day (UTC)")

    def urls(self, listed: str) -> list[str]:
        """For each place the URL of its part of a list."""
        return [f"{listed}&{one}" for one in self._filters]

    @cached_property
    def _filters(self) -> list[str]:
        """For each place the filters of a list of it, encoded for a URL."""
        last = self.length - timedelta(microseconds=1)
        return [
            urlencode({"since": start.isoformat(), "until": (start + last).isoformat()})
            for start in self.starts
        ]


def charts(request: HttpRequest, view: View, period: str, listed: Listed) -> dict[str, Any]:
    """The charts of a view, for the template, and the refused calls by code: each with a number, a
    part of the highest one in percent, the URL of the calls, and that of the code's row.
    """
    axis = Axis(period, view.now)
    calls = Calls.of(view, axis)
    client = {"client": view.client_id} if view.client_id else {}
    most = calls.codes.most_common(TOP)
    filters = {"period": period, **client}
    return {
        "grants_chart": grants_chart(view, axis, listed),
        "calls_chart": calls_chart(calls, axis, listed, view),
        "codes": [
            (
                code,
                number,
                percent(number, most),
                listed("call", code=code, **filters),
                code_url(request, code),
                advice_url(code),
            )
            for code, number in most
        ],
        "code_notes": calls.notes,
    }


def percent(number: int, most: list[Any]) -> int:
    """The part of the highest number, the first of `most`, in percent; at least 1."""
    return max(1, round(number / most[0][1] * 100)) if most[0][1] else 0


def grants_chart(view: View, axis: Axis, listed: Listed) -> Chart:
    """Grants created and revoked, counted from the events."""
    kinds = (
        (EventKind.CREATED, _("Grants created"), "1"),
        (EventKind.REVOKED, _("Grants revoked"), "2"),
    )
    numbers = _counted(view, axis)
    client = {"q": view.client_id} if view.client_id else {}
    series = tuple(
        Series(
            label,
            css,
            [numbers[start, kind.value] for start in axis.starts],
            axis.urls(listed("grantevent", kind=kind.value, **client)),
        )
        for kind, label, css in kinds
    )
    notes = [_("Counted up to %(when)s.") % {"when": _exact(view.tally.counted_until)}]
    if (days := app_settings.event_retention_days) is not None:
        kept = _("Events are deleted after %(n)s days; their numbers stay.")
        notes.append(kept % {"n": days})
    return _chart("grants", _("Grants created and revoked"), _("Grants"), axis, series, notes)


def calls_chart(calls: "Calls", axis: Axis, listed: Listed, view: View) -> Chart:
    """Calls answered and refused, from the logs of calls."""
    outcomes = (("done", _("Calls answered"), "1"), ("refused", _("Calls refused"), "2"))
    given = {"client": view.client_id, "code": view.code}
    filters = {name: value for name, value in given.items() if value}
    series = tuple(
        Series(
            label,
            css,
            [calls.numbers[start, outcome == "done"] for start in axis.starts],
            axis.urls(listed("call", outcome=outcome, **filters)),
        )
        for outcome, label, css in outcomes
    )
    title = _("Calls answered and refused") + (f", {view.code}" if view.code else "")
    return _chart("calls", title, _("Calls"), axis, series, calls.notes, counted=calls.are_counted)


@dataclass(frozen=True)
class Calls:
    """The calls of a period, from the logs: by place and whether they were answered, and the
    refused ones by code. `notes` say what is left out; not `are_counted`: everything.
    """

    are_counted: bool
    numbers: Counter[tuple[datetime, bool]]
    codes: Counter[str]
    notes: list[str]

    @classmethod
    def of(cls, view: View, axis: Axis) -> "Calls":
        """Counted from the newest `COUNT_LIMIT` calls of each log. 2 queries for each."""
        found = cls(bool(view.logs.read), Counter(), Counter(), [])
        for service in view.logs.read:
            found._add(service, view, axis)
        found.notes.extend(view.logs.missed(axis.starts[0]))
        return found

    def _add(self, service: Service, view: View, axis: Axis) -> None:
        since = axis.starts[0]
        start_of = hour_of if axis.is_hourly else day_of
        rows = view.calls(service, since)
        rows = rows.filter(code=view.code) if view.code else rows
        groups = rows.values_list("code", start_of("at"))
        for code, start, number in groups.annotate(Count("pk")):
            self.numbers[start, code in DONE] += number
            if code not in DONE:
                self.codes[code] += number


def _counted(view: View, axis: Axis) -> Counter[tuple[datetime, str]]:
    first = axis.starts[0]
    found: Counter[tuple[datetime, str]] = Counter()
    if axis.is_hourly:
        rows = HourlyCount.objects.filter(view.of_client(), service__in=view.keys)
        for at, kind, number in _summed(rows.filter(hour__gte=first), "hour"):
            found[at, kind] += number
    else:
        for day, kind, number in _daily(view, [start.date() for start in axis.starts]):
            found[datetime(day.year, day.month, day.day, tzinfo=UTC), kind] += number
    return found


def _daily(view: View, days: list[date]) -> Any:
    """The numbers by day and by kind. An index has the counters of a day in the order of clients:
    given each day, a client's are found at once.
    """
    if not view.client_id:
        return sums(view.keys, days[0])
    return _summed(view.counters().filter(day__in=days), "day")


def _summed(rows: Any, period: str) -> Any:
    """The numbers of these counters, by hour or day and by kind."""
    drawn = rows.filter(kind__in=(EventKind.CREATED, EventKind.REVOKED)).order_by()
    return drawn.values_list(period, "kind").annotate(Sum("number"))


def _chart(
    name: str,
    title: str,
    up: str,
    axis: Axis,
    series: tuple[Series, ...],
    notes: list[str],
    *,
    counted: bool = True,
) -> Chart:
    period = LENGTHS[axis.period][0]
    return Chart(
        name,
        f"{title}: {period}",
        axis.label(),
        up,
        axis.places(),
        axis.marks(),
        series,
        tuple(notes),
        counted,
    )


def _exact(at: datetime | None) -> str:
    return _("no event yet") if at is None else exact(at)
