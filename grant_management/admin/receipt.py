"""The receipt of an event: who did what, when and why, and what it stopped; as a page and as JSON.

Its address is that of the event, which never changes while the event is kept.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..db.counting import grouped
from ..models import Client, EventKind, Grant, GrantEvent, OrganizationEvent, Sweep
from ..models.stops import Number
from .kit.content import json_file
from .kit.display import link
from .kit.reasons import in_words
from .kit.utc import exact_tag, in_utc
from .kit.zone import exact_utc, zone_name
from .related import job_url, may_view, page_url

_JOBS: Final = (EventKind.JOB_STARTED, EventKind.JOB_PAUSED, EventKind.JOB_RESUMED)
_STOPS: Final = (EventKind.REVOKED, EventKind.CUT_OFF, EventKind.CLIENT_LOCKED)
_LABELS: Final = {
    "grants": gettext_lazy("Grants stopped"),
    "access_tokens": gettext_lazy("Access tokens stopped"),
    "refresh_tokens": gettext_lazy("Refresh tokens stopped"),
}
_TOKENS: Final = ("access_tokens", "refresh_tokens")
Event = GrantEvent | OrganizationEvent


def receipt(event: Event, request: HttpRequest) -> dict[str, Any]:
    """The template's context: the title, and `receipt`, a list of labels and values."""
    address = request.build_absolute_uri(request.path)
    shown = [*_what(event), *_why(event), *_about(event, request), *_numbers(event)]
    shown += [(_("Receipt"), str(event.pk)), (_("Address"), address)]
    title = _("Receipt: %(what)s") % {"what": event.kind_in_words}
    return {"title": title, "receipt": shown}


def receipt_of_many(
    events: list[GrantEvent], job: UUID, request: HttpRequest, *, is_cut: bool
) -> dict[str, Any]:
    """The same of the events of one job, which are of one act; `is_cut`: there are more of them."""
    first, number = events[0], len(events)
    said = ngettext("%(n)s grant revoked", "%(n)s grants revoked", number) % {"n": grouped(number)}
    beginning = _("The first")
    what = f"{beginning}: {said}" if is_cut else said
    shown = [(_("What"), what), *_when(first), *_why(first)]
    shown += _labelled(_stopped_by(events, job, is_cut=is_cut))
    shown += [(_("Receipt"), str(job)), (_("Address"), request.build_absolute_uri(request.path))]
    return {"title": _("Receipt: %(what)s") % {"what": said}, "receipt": shown}


def as_file_of_many(
    events: list[GrantEvent], job: UUID, request: HttpRequest, page: str, *, is_cut: bool
) -> HttpResponse:
    """The receipt of several grants as a JSON file; times are in UTC."""
    members = _members(events[0]) | {"id": str(job), "is_whole": not is_cut}
    grants = [_named(event) | {"event": str(event.pk)} for event in events]
    members["stops"] = _stopped_by(events, job, is_cut=is_cut)
    members |= {"grants": grants, "url": request.build_absolute_uri(page)}
    return json_file(json.dumps(members, indent=2), f"receipt-{job}.json")


def as_file(event: Event, request: HttpRequest, page: str) -> HttpResponse:
    """The receipt as a JSON file; times are in UTC."""
    members = _members(event) | _named(event) | {"stops": stops_of(event)}
    members["url"] = request.build_absolute_uri(page)
    return json_file(json.dumps(members, indent=2), f"receipt-{event.pk}.json")


def _members(event: Event) -> dict[str, Any]:
    """Who did what, when and why, for the JSON file."""
    actor = {"kind": event.actor_kind, "name": event.actor, "id": event.actor_id}
    members: dict[str, Any] = {"id": str(event.pk), "kind": event.kind, "at": in_utc(event.at)}
    members |= {"actor": actor, "reason": event.reason, "note": event.note}
    return members | {"ticket": event.ticket}


def stops_of(event: Event) -> Any:
    """The numbers of grants and tokens that an operator's act stopped; None: it was no such act.

    The details of other events are not read: they may be large.
    """
    return event.details.get("stops") if event.kind in _STOPS else None


def _stopped_by(events: list[GrantEvent], job: UUID, *, is_cut: bool) -> dict[str, Any]:
    """The numbers of grants and tokens that the events of a job stopped together; None: nobody
    counted them.
    """
    told = [stops_of(event) for event in events]
    grants: int | None = len(events)
    if is_cut:
        jobs = Sweep.objects.filter(service=events[0].service_id, pk=job)
        grants = jobs.values_list("revoked", flat=True).first()
    if all(told) and not is_cut:
        tokens = {name: _sum(one[name] for one in told) for name in _TOKENS}
    else:
        tokens = _tokens_of(events[0])
    return {"grants": None if grants is None else Number(grants, True).as_json(), **tokens}


def _tokens_of(event: GrantEvent) -> dict[str, Any]:
    """The numbers of tokens that the job of an event stopped, which a cut-off alone counts; None:
    nobody counted them.
    """
    about = {"service": event.service_id, "job": event.job, "grant_id": ""}
    began = GrantEvent.objects.filter(**about, kind=EventKind.CUT_OFF).order_by("at", "pk").first()
    told = (began and stops_of(began)) or {}
    return {name: told.get(name) for name in _TOKENS}


def _sum(numbers: Iterable[dict[str, Any]]) -> dict[str, Any]:
    told = list(numbers)
    whole = all(one["exact"] for one in told)
    return Number(sum(one["number"] for one in told), whole).as_json()


def _labelled(stops: dict[str, Any]) -> Iterator[tuple[Any, str]]:
    """The numbers with their labels; of what nobody counted it says so."""
    for name, label in _LABELS.items():
        if name in stops:
            told = stops[name]
            yield label, str(Number(told["number"], told["exact"])) if told else _("Not counted")


def _named(event: Event) -> dict[str, Any]:
    """What the event is about, for the JSON file."""
    if isinstance(event, OrganizationEvent):
        return {"organization": event.organization_id}
    about = {"service": event.service_id, "client_id": event.client_id}
    about |= {"subject": event.subject, "grant_id": event.grant_id}
    return about | {"job": str(event.job) if event.job else None}


def _what(event: Event) -> Iterator[tuple[Any, Any]]:
    yield _("What"), event.kind_in_words
    yield from _when(event)


def _when(event: Event) -> Iterator[tuple[Any, Any]]:
    """When it was, and who did it."""
    yield _("When"), exact_tag(event.at)
    if zone_name() != "UTC":
        yield _("When, in UTC"), exact_utc(event.at)
    yield _("Done by"), event.done_by
    if event.actor_id:
        yield _("Done by (ID)"), event.actor_id


def _why(event: Event) -> Iterator[tuple[Any, Any]]:
    given = (
        (_("Reason"), in_words(event.reason)),
        (_("Note"), event.note),
        (_("Ticket"), event.ticket),
    )
    yield from ((label, value or _("none was given")) for label, value in given)


def _about(event: Event, request: HttpRequest) -> Iterator[tuple[Any, Any]]:
    """What it is about, with links to what still exists."""
    if isinstance(event, OrganizationEvent):
        yield _("Organization"), event.organization or _("All organizations")
        return
    yield _("Service"), _linked(request, "service", event.service_id, event.service)
    if event.client_id:
        yield _("Client"), _client(request, event)
    if event.grant_id:
        grants = Grant.objects.filter(service=event.service_id, grant_id=event.grant_id)
        key = grants.values_list("pk", flat=True).first()
        yield _("Grant"), _linked(request, "grant", key, event.grant_id)
    if event.subject is not None:
        yield _("Subject"), event.subject
    if event.job:
        url = job_url(request, event)
        yield _("Job"), link(url, event.job) if url else event.job


def _client(request: HttpRequest, event: GrantEvent) -> Any:
    """The client ID; with the client's name and a link where there is one that they may see."""
    rows = Client.objects.filter(service=event.service_id, client_id=event.client_id)
    client = rows.first() if may_view(request, "client") else None
    if client is None:
        return event.client_id
    name = f"{client.name} ({event.client_id})" if client.name else event.client_id
    return _linked(request, "client", client.pk, name)


def _linked(request: HttpRequest, model: str, key: Any, name: Any) -> Any:
    """The name, as a link to the row's page where there is one that the operator may see."""
    may = key is not None and may_view(request, model)
    url = page_url(request, f"{model}_change", key) if may else ""
    return link(url, name) if url else name


def _numbers(event: Event) -> Iterator[tuple[Any, Any]]:
    """How many grants and tokens it stopped, where the event or its job has the numbers."""
    stops = stops_of(event)
    if stops is None and event.kind == EventKind.REVOKED:
        yield _LABELS["grants"], "1"
    yield from _labelled(stops or {})
    if isinstance(event, GrantEvent) and event.job and event.kind not in _JOBS:
        job = Sweep.objects.filter(service=event.service_id, pk=event.job).first()
        if job is not None:
            yield _("Grants revoked by the job so far"), grouped(job.revoked)
            is_one = event.kind == EventKind.REVOKED
            told = dict.fromkeys(_TOKENS) if is_one else _tokens_of(event)
            yield from _labelled({} if stops else told)
