"""A revoke by filter as an operator reads it: its filter, its progress and its report."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..db import clock
from ..db.counting import COUNT_LIMIT, grouped
from ..db.keyset import Ordered, Rows, all_of
from ..models import GrantEvent, GrantFilter, Sweep, SweepStatus
from .kit.display import state
from .kit.export import TURN, csv_lines
from .kit.utc import exact, in_utc


def described(wanted: GrantFilter) -> str:
    """A filter in words."""
    before = wanted.created_before
    said = {
        _("service"): wanted.service.name,
        _("client"): wanted.client.client_id if wanted.client else None,
        _("subject"): wanted.subject,
        _("scope"): wanted.scope,
        _("authorization type"): wanted.authorization_type,
        _("created before"): exact(before) if before else None,
    }
    return ", ".join(f"{name} {value}" for name, value in said.items() if value is not None)


def described_job(sweep: Sweep) -> str:
    """The filter of a job in words."""
    return described(sweep.wanted())


def status_value(sweep: Sweep) -> str:
    """The status of a job, for a file."""
    return sweep.status(clock.estimate()).value


def badge(sweep: Sweep) -> str:
    """The status of a sweep, as an icon and a word."""
    status = sweep.status(clock.estimate())
    return state(status, status.label)


def progress(sweep: Sweep) -> dict[str, Any]:
    """The current figures, as JSON for the script of the page.

    `expected` is None where there were too many grants to count.

    `said` and `pace` are sentences: how many grants it revoked, and how fast. `most` is the length
    of the bar, and `filled` how much of it is filled; None: the bar moves, since the job runs and
    nobody knows how far it is.
    """
    now = clock.estimate()
    status = sweep.status(now)
    ended = sweep.finished_at or sweep.worked_at or now
    seconds = max((ended - sweep.started_at).total_seconds(), 0.001)
    rate = sweep.revoked / seconds
    known = sweep.expected <= COUNT_LIMIT
    is_done = status is SweepStatus.DONE
    left = max(sweep.expected - sweep.revoked, 0) / rate if known and rate else None
    most, filled = _bar(sweep, status)
    return {
        "status": status.value,
        "revoked": sweep.revoked,
        "expected": sweep.expected if known else None,
        "said": _revoked(sweep, is_done=is_done, known=known),
        "pace": _pace(rate, None if is_done else left),
        "most": most,
        "filled": filled,
    }


def _bar(sweep: Sweep, status: SweepStatus) -> tuple[int | None, int | None]:
    """The length of the bar, and how much of it is filled."""
    if status is SweepStatus.DONE:
        return 1, 1
    if sweep.expected <= COUNT_LIMIT:
        return max(sweep.expected, sweep.revoked, 1), sweep.revoked
    # A bar that moves would say that somebody works on it.
    return (None, None) if status is SweepStatus.RUNNING else (1, 0)


def _revoked(sweep: Sweep, *, is_done: bool, known: bool) -> str:
    number, expected = grouped(sweep.revoked), grouped(sweep.expected)
    if is_done:
        said = ngettext("%(n)s grant was revoked", "%(n)s grants were revoked", sweep.revoked)
    elif known:
        said = _("%(n)s revoked of %(expected)s")
    else:
        said = _("%(n)s revoked; there are too many to count before")
    return said % {"n": number, "expected": expected}


def _pace(rate: float, left: float | None) -> str:
    pace = _("%(rate)s a second") % {"rate": grouped(rate, 1)}
    if left is None:
        return pace
    rest = ngettext("%(n)s second left", "%(n)s seconds left", round(left))
    return f"{pace}, {rest % {'n': grouped(round(left))}}"


def _history(events: list[GrantEvent]) -> list[dict[str, str]]:
    """Who started, paused, resumed and finished it, and when."""
    return [
        {
            "what": event.kind,
            "at": in_utc(event.at),
            "actorKind": event.actor_kind,
            "actor": event.actor,
            "actorId": event.actor_id,
        }
        for event in events
    ]


def report(sweep: Sweep) -> dict[str, Any]:
    """The filter, who started the job and why, and the number of grants revoked by client.

    The numbers are counted from the job's events, which are written in the same transactions as
    the revocations.
    """
    groups = sweep.events().order_by("client_id").values_list("client_id")
    clients = dict(groups.annotate(Count("pk")))
    finished, told = sweep.finished_at, _history(sweep.history())
    return {
        "id": str(sweep.pk),
        "filter": described(sweep.wanted()),
        "startedBy": told[0]["actor"] if told else sweep.actor,
        "startedAt": in_utc(sweep.started_at),
        "finishedAt": in_utc(finished) if finished else None,
        "status": sweep.status(clock.estimate()).value,
        "reason": sweep.reason,
        "note": sweep.note,
        "ticket": sweep.ticket,
        "revoked": sum(clients.values()),
        "byClient": clients,
        "story": told,
    }


def lines(sweep: Sweep) -> Iterator[str]:
    """CSV: a line for each grant that it revoked."""
    names = ("grant_id", "client_id", "subject", "at", "id")
    return csv_lines(names, (row for rows in _turns(sweep) for row in rows.values_list(*names)))


def _turns(sweep: Sweep) -> Iterator[Rows]:
    return all_of(Ordered(sweep.events(), ("pk",), services=(sweep.service_id,)), None, TURN)
