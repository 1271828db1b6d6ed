"""The timeline of a grant: its events, and its calls where the service keeps a log of them. Newest
first and page by page; the size of a page is bounded, however much the grant holds.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from typing import Any, Final

from django.db.models.fields.json import KT
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ..db.keyset import Ordered, parsed, written
from ..models import Call, EventKind, Grant, GrantEvent
from ..models.actor import ActorKind
from ..protocol import strict_json
from .kit.content import ENTRIES, as_text, bounded, cut
from .kit.display import time_tag
from .kit.reasons import why_of
from .related import may_view

PAGE: Final = 25
"""Entries of a page."""
DIFFERED: Final = 16_000
"""The most characters of an event's details that are compared; longer ones are linked."""
EVENTS: Final = ("-at", "-pk")
CALLS: Final = ("-pk",)


@dataclass(frozen=True)
class Cursor:
    """Where a page of a timeline starts: behind the last event and the last call shown so far.

    `event` has values of `EVENTS`, `call` has values of `CALLS`; an empty list is the beginning.
    """

    event: list[Any]
    call: list[Any]

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """The cursor in a query string; the beginning where the text cannot be read."""
        try:
            event, call = strict_json.loads(text)
            return cls(
                parsed(GrantEvent, EVENTS, event) if event else [],
                parsed(Call, CALLS, call) if call else [],
            )
        except (ValueError, TypeError):
            return cls([], [])

    def after(self, entries: list[dict[str, Any]]) -> "Cursor":
        """The cursor behind these entries."""
        event, call = self.event, self.call
        for entry in entries:
            if "call" in entry:
                call = [entry["row"].pk]
            else:
                event = [entry["row"].at, entry["row"].pk]
        return Cursor(event, call)

    def __str__(self) -> str:
        parts = (written(values) if values else "" for values in (self.event, self.call))
        return json.dumps(list(parts))


def timeline(grant: Grant, request: HttpRequest) -> dict[str, Any]:
    """The template's context of a page: its entries as `timeline`, newest first, and as `older` the
    text of the next page's cursor ("": there is no next page).
    """
    start = Cursor.read(request.GET.get("timeline", ""))
    sees_events = may_view(request, "grantevent")
    events = _events(grant, start) if sees_events else iter(())
    calls = _calls(grant, start) if may_view(request, "call") else iter(())
    both = merge(events, calls, key=lambda entry: entry["at"], reverse=True)
    entries = list(islice(both, PAGE + 1))
    if len(entries) > PAGE:
        return {"timeline": entries[:PAGE], "older": str(start.after(entries[:PAGE]))}
    begun = _beginning(grant) if sees_events else []
    return {"timeline": [*entries, *begun], "older": ""}


def _events(grant: Grant, start: Cursor) -> Iterator[dict[str, Any]]:
    about = {"service": grant.service_id, "grant_id": grant.grant_id}
    said = bounded(as_text("details"), DIFFERED)
    rows = GrantEvent.objects.filter(**about).defer("details").annotate(said=said)
    return map(_shown_event, Ordered(rows, EVENTS).beyond(start.event).first(PAGE + 1))


def _calls(grant: Grant, start: Cursor) -> Iterator[dict[str, Any]]:
    about = {"service": grant.service_id, "grant_id": grant.grant_id}
    members = {"message": KT("answer__resultMessage"), "result": KT("answer__action")}
    rows = Call.objects.filter(**about).defer("answer", "steps").annotate(**members)
    return map(_shown_call, Ordered(rows, CALLS).beyond(start.call).first(PAGE + 1))


def _beginning(grant: Grant) -> list[dict[str, Any]]:
    """An entry for the creation of a grant, where no event tells of it: it was imported, or the
    event is older than events are kept.
    """
    events = GrantEvent.objects.filter(service=grant.service_id, grant_id=grant.grant_id)
    oldest = events.order_by("at").values_list("kind", flat=True).first()
    if oldest == EventKind.CREATED:
        return []
    actor = _("before the events that are kept here")
    created = {"at": grant.created_at, "moment": time_tag(grant.created_at)}
    return [{**created, "title": EventKind.CREATED.label, "actor": actor}]


def _shown_event(event: Any) -> dict[str, Any]:
    """An event for the template, with what it added to the grant's content and removed."""
    added, removed = _changes(strict_json.stored(event.said or "{}"))
    return {
        "row": event,
        "at": event.at,
        "moment": time_tag(event.at),
        "title": event.kind_in_words,
        "actor": event.done_by,
        "why": why_of(event),
        "added": _few(added),
        "removed": _few(removed),
        "is_long": event.said is None,
    }


def _shown_call(call: Any) -> dict[str, Any]:
    refused = call.result not in ("OK", "NO_CONTENT")
    title = _("%(action)s refused") if refused else _("%(action)s answered")
    return {
        "row": call,
        "at": call.at,
        "moment": time_tag(call.at),
        "title": title % {"action": call.action or _("Call")},
        "actor": f"{ActorKind.CLIENT.label} {call.client_id}",
        "why": cut((call.message or call.code) if refused else call.code),
        "call": call,
    }


def _few(items: set[str]) -> list[str]:
    shown = [cut(item, 500) for item in sorted(items)[:ENTRIES]]
    return [*shown, "…"] if len(items) > ENTRIES else shown


def _changes(said: dict[str, Any]) -> tuple[set[str], set[str]]:
    """The lines that were added, and those that were removed. The event of a large grant has only
    `added` and `removed`; that of another one has `before` and `after`.
    """
    names = ("before", "after", "added", "removed")
    before, after, added, removed = (_items(said.get(name)) for name in names)
    return added | (after - before), removed | (before - after)


def _items(content: Any) -> set[str]:
    """What a content's JSON text lists, as lines to compare: scopes, claims and details."""
    held = strict_json.stored(content) if isinstance(content, str) else {}
    scopes = {
        f"{name} {resource}".strip()
        for entry in held.get("scopes", [])
        for name in entry["scope"].split(" ")
        for resource in entry.get("resource", [""])
    }
    details = {strict_json.dumps(detail) for detail in held.get("authorization_details", [])}
    return scopes | set(held.get("claims", [])) | details
