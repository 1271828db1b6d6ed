"""A grant's page: what it holds, its tokens, and what happened to it, newest first."""

import json
from typing import Any, Final

from django.db.models import QuerySet
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
    details = strict_json.loads(grant.authorization_details or "[]", keep_numbers=True)
    return {
        "scopes": json.loads(grant.scopes or "[]"),
        "claims": json.loads(grant.claims or "[]"),
        "details": [_detail(detail) for detail in details],
    }


def _detail(detail: dict[str, Any]) -> dict[str, Any]:
    members = {name: value for name, value in detail.items() if name != "type"}
    raw = indented(strict_json.dumps(detail))
    return {"type": detail["type"], "tree": tree(members) if members else "", "raw": raw}


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
    events = GrantEvent.objects.filter(**about).order_by("-at", "-pk")[:LONGEST]
    entries = [_shown_event(event) for event in events]
    if len(entries) < LONGEST and not any(event.kind == EventKind.CREATED for event in events):
        entries.append(_came_in(grant))
    if request.user.has_perm("grant_management.view_call"):
        entries += [_shown_call(call) for call in _calls(about)]
    return sorted(entries, key=lambda entry: entry["at"], reverse=True)


def _came_in(grant: Grant) -> dict[str, Any]:
    """Of a grant that was imported, whose beginning was elsewhere."""
    actor = _("elsewhere, before it was imported")
    created = {"at": grant.created_at, "moment": moment(grant.created_at)}
    return {**created, "title": EventKind.CREATED.label, "actor": actor}


def _calls(about: dict[str, Any]) -> "QuerySet[Call]":
    return Call.objects.filter(**about).order_by("-pk")[:LONGEST]


def _shown_event(event: GrantEvent) -> dict[str, Any]:
    """With what was added and what was removed, where it changed what the grant holds."""
    before, after = (_items(event.details.get(name, "{}")) for name in ("before", "after"))
    return {
        "at": event.at,
        "moment": moment(event.at),
        "title": event.get_kind_display(),
        "actor": f"{event.get_actor_kind_display()} {event.actor}",
        "why": " · ".join(one for one in (event.reason, event.note, event.ticket) if one),
        "added": sorted(after - before),
        "removed": sorted(before - after),
    }


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
    held = json.loads(content)
    scopes = {
        f"{name} {resource}".strip()
        for entry in held.get("scopes", [])
        for name in entry["scope"].split(" ")
        for resource in entry.get("resource", [""])
    }
    details = {json.dumps(detail) for detail in held.get("authorization_details", [])}
    return scopes | set(held.get("claims", [])) | details
