"""What happened to a person's grants: calls and events, newest first."""

import json
from typing import Any, Final

from django.db.models import OuterRef, Subquery

from ..db.keyset import Merged, parsed
from ..db.of_service import at_services, these
from ..models import Call, Grant, GrantEvent
from .call import outcome
from .kit.display import time_tag
from .kit.reasons import why_of

EVENTS: Final = ("-at", "-pk")
SHOWN: Final = 20
"""The most events of a page, and the most calls."""
GRANTS: Final = 50
"""The newest grants whose calls are shown."""
EACH: Final = 5
"""The newest calls of each of these grants."""


def events_of(grant: Grant, services: list[int], cursor: str) -> tuple[list[dict[str, Any]], str]:
    """A page of the events about the grant's subject, and the cursor of older ones ("": none)."""
    rows = GrantEvent.objects.filter(subject=grant.subject).defer("details")
    ordered = Merged(rows.select_related("service"), EVENTS, services=tuple(services))
    try:
        ahead: Any = ordered.beyond(parsed(GrantEvent, EVENTS, cursor)) if cursor else ordered
    except ValueError:
        ahead = ordered
    found = ahead.first(SHOWN + 1)
    shown = found[:SHOWN]
    older = json.dumps([shown[-1].at.isoformat(), str(shown[-1].pk)]) if len(found) > SHOWN else ""
    return [shown_event(event) for event in shown], older


def shown_event(event: GrantEvent) -> dict[str, Any]:
    """An event for a template."""
    return {
        "row": event,
        "title": event.kind_in_words,
        "moment": time_tag(event.at),
        "actor": event.done_by,
        "why": why_of(event),
    }


def calls_of(grant: Grant, services: list[int]) -> list[dict[str, Any]]:
    """The newest calls about the newest grants of the grant's subject."""
    own = Grant.objects.filter(service__in=services, subject=grant.subject)
    return newest_calls(own.order_by("-created_at")[:GRANTS])


def newest_calls(grants: Any) -> list[dict[str, Any]]:
    """The newest calls about these grants, each found by its grant's part of the index."""
    calls = Call.objects.filter(service=OuterRef("service_id"), grant_id=OuterRef("grant_id"))
    newest = calls.order_by("-pk").values("pk")
    keys = {f"call_{n}": Subquery(newest[n : n + 1]) for n in range(EACH)}
    of = list(grants.values_list("pk", "service_id"))
    rows = these(Grant.objects.all(), of).annotate(**keys)
    found = {key for row in rows.values_list(*keys) for key in row if key}
    at = at_services(service for _grant, service in of)
    shown = Call.objects.filter(at, pk__in=found).defer("answer", "steps")
    shown = shown.select_related("service")
    return [shown_call(call) for call in shown.order_by("-pk")[:SHOWN]]


def shown_call(call: Call) -> dict[str, Any]:
    """A call for a template."""
    return {
        "row": call,
        "moment": time_tag(call.at),
        "badge": outcome(call),
        "action": call.action,
        "code": call.code,
    }
