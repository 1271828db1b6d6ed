"""A grant's page: what it holds, its tokens, and what happened to it, newest first."""

from typing import Any, Final

from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast, Length
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ..db import clock
from ..models import AccessToken, Call, EventKind, Grant, GrantEvent, RefreshToken
from ..protocol import strict_json
from .display import identifier, indented, moment, state, tree

NEWEST: Final = 20
"""Tokens of each kind; the lists of tokens have the others, page by page."""
LONGEST: Final = 100
"""Entries of a timeline, of each kind."""
MOST_DETAILS: Final = 100
"""Authorization details on the page."""
LONG: Final = 16_384
"""Bytes of a detail that is not shown as a tree."""
MOST_ITEMS: Final = 20
"""Lines of what a change added, or removed."""
MOST_BYTES: Final = 2_097_152
"""Bytes of details that are read for the timeline."""
LONG_ITEM: Final = 200
"""Characters of such a line."""


def story(grant: Grant, request: HttpRequest) -> dict[str, Any]:
    """The context of its page."""
    kinds = [_tokens(model, grant) for model in (AccessToken, RefreshToken)]
    status = grant.status(clock.estimate())
    return {
        "grant": grant,
        "status": state(status, status.label),
        "facts": _facts(grant),
        "content": _content(grant),
        "tokens": [_shown_token(token) for tokens in kinds for token in tokens],
        "more_tokens": any(len(tokens) == NEWEST for tokens in kinds),
        "timeline": _timeline(grant, request),
    }


def _facts(grant: Grant) -> list[tuple[Any, Any]]:
    return [
        (_("Grant ID"), identifier(grant.grant_id)),
        (_("Service"), f"{grant.service} ({grant.service_id})"),
        (_("Client"), f"{grant.client} ({grant.client.client_id})"),
        (_("Subject"), identifier(grant.subject)),
        (_("Created"), moment(grant.created_at)),
        (_("Changed"), moment(grant.last_updated_at)),
        (_("Changed by"), grant.get_updated_by_display()),
        (_("Last used"), moment(grant.last_used_at)),
        (_("Expires"), moment(grant.expires_at)),
        (_("Revoked"), moment(grant.revoked_at)),
    ]


def _content(grant: Grant) -> dict[str, Any]:
    details = strict_json.stored(grant.authorization_details or "[]")
    return {
        "scopes": strict_json.stored(grant.scopes or "[]"),
        "claims": strict_json.stored(grant.claims or "[]"),
        "details": [_detail(detail) for detail in details[:MOST_DETAILS]],
        "more_details": max(0, len(details) - MOST_DETAILS),
    }


def _detail(detail: dict[str, Any]) -> dict[str, Any]:
    """A long one as it is stored, for it would be many times as long to be read."""
    text = strict_json.dumps(detail)
    if len(text) > LONG:
        return {"type": detail["type"], "tree": "", "raw": text}
    members = {name: value for name, value in detail.items() if name != "type"}
    return {
        "type": detail["type"],
        "tree": tree(members) if members else "",
        "raw": indented(detail),
    }


def _tokens(model: type[AccessToken | RefreshToken], grant: Grant) -> list[Any]:
    rows = model._default_manager.filter(service=grant.service_id, grant=grant)
    rows = rows.select_related("service", "client", "grant__service", "grant__client")
    return list(rows.order_by("-pk")[:NEWEST])


def _shown_token(token: AccessToken | RefreshToken) -> dict[str, Any]:
    """Never its value, nor the whole of its digest."""
    status = token.status(clock.estimate()).name.lower()
    return {
        "kind": token._meta.verbose_name,
        "digest": token.digest_prefix,
        "status": state(status, status.replace("_", " ").capitalize()),
        "issued_at": moment(token.issued_at),
        "expires_at": moment(token.expires_at),
        "key": identifier(token.jkt) if token.jkt else "",
        "certificate": identifier(token.x5t_s256) if token.x5t_s256 else "",
    }


def _timeline(grant: Grant, request: HttpRequest) -> list[dict[str, Any]]:
    """Its events; and its calls, where a log of them is kept and may be seen."""
    about = {"service": grant.service_id, "grant_id": grant.grant_id}
    events = list(_events(about))
    details = _details_of(events)
    entries = [_shown_event(event, details.get(event.pk)) for event in events]
    if len(entries) < LONGEST and not any(event.kind == EventKind.CREATED for event in events):
        entries.append(_came_in(grant))
    if request.user.has_perm("grant_management.view_call"):
        entries += [_shown_call(call) for call in _calls(about)]
    return sorted(entries, key=lambda entry: entry["at"], reverse=True)


def _events(about: dict[str, Any]) -> "QuerySet[GrantEvent]":
    """Without their details, but with the size of these: they can be long."""
    rows = GrantEvent.objects.filter(**about).defer("details")
    size = Length(Cast("details", TextField()))
    return rows.annotate(size=size).order_by("-at", "-pk")[:LONGEST]


def _details_of(events: list[GrantEvent]) -> dict[Any, dict[str, Any]]:
    """The details of the newest events, as many as fit into memory, by primary key."""
    room, keys = MOST_BYTES, []
    for event in events:
        room -= event.size  # type: ignore[attr-defined]
        if room < 0:
            break
        keys.append(event.pk)
    rows = GrantEvent.objects.filter(pk__in=keys)
    return dict(rows.values_list("pk", "details"))


def _came_in(grant: Grant) -> dict[str, Any]:
    """Of a grant that was imported, whose beginning was elsewhere."""
    actor = _("elsewhere, before it was imported")
    created = {"at": grant.created_at, "moment": moment(grant.created_at)}
    return {**created, "title": EventKind.CREATED.label, "actor": actor}


def _calls(about: dict[str, Any]) -> "QuerySet[Call]":
    return Call.objects.filter(**about).order_by("-pk")[:LONGEST]


def _shown_event(event: GrantEvent, details: dict[str, Any] | None) -> dict[str, Any]:
    """With what was added and what was removed, where it changed what the grant holds."""
    added, removed = _changes(details or {})
    return {
        "at": event.at,
        "moment": moment(event.at),
        "title": event.get_kind_display(),
        "actor": f"{event.get_actor_kind_display()} {event.actor}",
        "why": " · ".join(one for one in (event.reason, event.note, event.ticket) if one),
        "added": _first(added),
        "removed": _first(removed),
        "is_cut": details is None,
    }


def _changes(details: dict[str, Any]) -> tuple[set[str], set[str]]:
    """What was added and what was removed; an event of a long grant has only that."""
    names = ("before", "after", "added", "removed")
    before, after, added, removed = (_items(details.get(name, "{}")) for name in names)
    return added | (after - before), removed | (before - after)


def _first(items: set[str]) -> list[str]:
    """The first of them, each as far as it can be read at a glance."""
    shown = [item if len(item) <= LONG_ITEM else f"{item[:LONG_ITEM]}…" for item in sorted(items)]
    more = len(shown) - MOST_ITEMS
    said = [_("and %(n)s more") % {"n": more}] if more > 0 else []
    return shown[:MOST_ITEMS] + said


def _shown_call(call: Call) -> dict[str, Any]:
    refused = call.answer.get("action") not in ("OK", "NO_CONTENT")
    said = call.answer.get("resultMessage", call.code) if refused else call.code
    title = _("%(action)s refused") if refused else _("%(action)s answered")
    return {
        "at": call.at,
        "moment": moment(call.at),
        "title": title % {"action": call.action or "gm"},
        "actor": f"client {call.client_id}",
        "why": said,
        "call": call,
    }


def _items(content: str) -> set[str]:
    """What a grant held, as lines to compare."""
    held = strict_json.stored(content)
    scopes = {
        f"{name} {resource}".strip()
        for entry in held.get("scopes", [])
        for name in entry["scope"].split(" ")
        for resource in entry.get("resource", [""])
    }
    details = {strict_json.dumps(detail) for detail in held.get("authorization_details", [])}
    return scopes | set(held.get("claims", [])) | details
