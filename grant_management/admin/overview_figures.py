"""The figures of the overview. A figure that is not counted says so, and how it gets counted."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Q, Sum
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext as _

from ..db import counting
from ..db.clock import CLOCK_TOLERANCE
from ..db.counting import grouped, shown_number
from ..db.ids import first_uuid7
from ..db.keyset import Merged, Order, Ordered, Rows
from ..models import (
    AccessToken,
    Call,
    Client,
    DailyCount,
    EventKind,
    Grant,
    GrantStatus,
    Service,
    Tally,
)
from ..models.daily_count import active_by_client
from ..models.grant import GrantQuerySet
from ..protocol.results import Result
from .kit.display import time_tag
from .kit.utc import exact
from .overview_logs import Logs

DONE: Final = (Result.QUERIED.code, Result.REVOKED.code)
"""The codes of calls that were answered."""


@dataclass(frozen=True)
class View:
    """What the overview is of: services, one client or all (""), and the time of now. The calls of
    the charts are of one code or of all ("").
    """

    services: list[Service]
    client_id: str
    now: datetime
    tally: Tally
    code: str = ""

    @property
    def keys(self) -> tuple[int, ...]:
        """The numbers of the services."""
        return tuple(service.pk for service in self.services)

    @cached_property
    def logs(self) -> Logs:
        """The logs of calls of the services."""
        return Logs(self.services)

    def of_client(self) -> Q:
        """The condition that a row with a client ID is of the client."""
        return Q(client_id=self.client_id) if self.client_id else Q()

    def grants(self) -> GrantQuerySet:
        """The grants of the client, or of all."""
        rows = Grant.objects.all()
        return rows.filter(client__in=self._clients) if self.client_id else rows

    @cached_property
    def _clients(self) -> list[int]:
        known = Client.objects.filter(service__in=self.keys, client_id=self.client_id)
        return list(known.values_list("pk", flat=True))

    def calls(self, service: Service, since: datetime) -> Rows:
        """The calls of one service since then, of the newest `COUNT_LIMIT` of its log."""
        first = self.logs.since(service, first_uuid7(since - CLOCK_TOLERANCE))
        rows = Call.objects.filter(self.of_client(), service=service, pk__gte=first)
        return rows.filter(at__gte=since)

    def count(self, rows: Rows, order: Order) -> int:
        """The number of these rows at the services, bounded; an index has them in that order."""
        if len(self.services) == 1:
            return Ordered(rows.filter(service=self.services[0]), order).count()
        return Merged(rows, order, None, self.keys).count()

    def counters(self) -> Any:
        """The daily counters."""
        return DailyCount.objects.filter(self.of_client(), service__in=self.keys)


@dataclass(frozen=True)
class Figure:
    """A number with its label and the filters of the list behind it.

    `number` None: it is not counted, and `note` says how it gets counted.
    """

    label: Any
    number: str | None
    of: str
    filters: dict[str, str] = field(default_factory=dict)
    note: Any = ""


@dataclass(frozen=True)
class Active:
    """The number of active grants of each client, by service and client ID; None: not counted.

    `at` is the time of the count.
    """

    by_client: Counter[tuple[int, str]] | None
    at: datetime | None


def active(view: View) -> Active:
    """Counted now where the services have at most `COUNT_LIMIT` grants; else by the last purge."""
    if view.count(view.grants(), ("-created_at", "-pk")) <= counting.COUNT_LIMIT:
        counted = active_by_client(view.grants().filter(service__in=view.keys), view.now)
        names = {(key, name): number for key, name, number in counted}
        at = view.now
    elif view.tally.live_at is None:
        return Active(None, None)
    else:
        rows = DailyCount.objects.live().filter(service__in=view.keys)
        counted = rows.values_list("service_id", "client_id", "number")
        names = {(key, name): number for key, name, number in counted}
        at = view.tally.live_at
    mine = {name: n for name, n in names.items() if view.client_id in ("", name[1])}
    return Active(Counter(mine), at)


def figures(view: View, live: Active) -> Iterator[Figure]:
    """The four figures at the top."""
    client = {"client": view.client_id} if view.client_id else {}
    yield _active(live, client)
    yield _revoked_today(view)
    yield _refused(view, client)
    yield _expiring(view, client)


def _active(live: Active, client: dict[str, str]) -> Figure:
    filters = {"status": GrantStatus.ACTIVE.value, **client}
    if live.by_client is None:
        note = _("Too many to count for a page. The command purge_expired counts them.")
        return Figure(_("active grants"), None, "grant", filters, note)
    number = grouped(live.by_client.total())
    note = format_html(_("counted {}"), time_tag(live.at))
    return Figure(_("active grants"), number, "grant", filters, note)


def _revoked_today(view: View) -> Figure:
    rows = view.counters().filter(kind=EventKind.REVOKED, day=view.now.date())
    number = rows.aggregate(sum=Sum("number"))["sum"] or 0
    midnight = view.now.replace(hour=0, minute=0, second=0, microsecond=0)  # as the counters are
    filters = {"kind": EventKind.REVOKED.value, "since": midnight.isoformat()}
    filters |= {"q": view.client_id} if view.client_id else {}
    counted = format_html(_("counted {}"), time_tag(view.tally.counted_until))
    note = format_html("{}; {}", _("since %(at)s") % {"at": exact(midnight)}, counted)
    label = _("grants revoked today (UTC)")
    return Figure(label, grouped(number), "grantevent", filters | _until(view), note)


def _until(view: View) -> dict[str, str]:
    """The end of what the counters have, as a filter: they count whole milliseconds."""
    until = view.tally.counted_until
    if until is None:
        return {}
    last = until.replace(microsecond=until.microsecond // 1_000 * 1_000) - timedelta(microseconds=1)
    return {"until": last.isoformat()}


def _refused(view: View, client: dict[str, str]) -> Figure:
    label, filters = _("refused calls in the last hour"), {"outcome": "refused", "period": "1h"}
    since = view.now - timedelta(hours=1)
    notes = " ".join(view.logs.missed(since))
    if not view.logs.read:
        return Figure(label, None, "call", filters | client, notes)
    number = sum(
        view.calls(service, since).exclude(code__in=DONE).count() for service in view.logs.read
    )
    return Figure(label, shown_number(number), "call", filters | client, notes)


def _expiring(view: View, client: dict[str, str]) -> Figure:
    ends = {"expires_at__gt": view.now, "expires_at__lte": view.now + timedelta(days=7)}
    number = view.count(view.grants().filter(revoked_at=None, **ends), ("expires_at",))
    label = _("grants that expire within 7 days")
    return Figure(label, shown_number(number), "grant", {"expires_within": "7", **client})


def cut_offs(view: View, most: int) -> list[tuple[Service | Client, str]]:
    """The services and clients that are cut off, with the cut-offs; at most `most` clients."""
    clients = Client.objects.filter(view.of_client(), service__in=view.keys)
    newest = clients.exclude(not_before=None).select_related("service").order_by("-not_before")
    found: list[Service | Client] = [one for one in view.services if one.not_before]
    found += newest[:most]
    return [(one, time_tag(one.not_before)) for one in found]


def backlog(view: View) -> str:
    """The number of expired access tokens, which the purge could delete: a bounded count."""
    expired = AccessToken.objects.filter(expires_at__lte=view.now)
    return shown_number(view.count(expired, ("expires_at",)))
