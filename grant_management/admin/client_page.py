"""A client's page: figures, charts, grants, calls, refusals by code, and what a lock or cut-off
stops.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ..db import clock
from ..db.counting import bounded_count, shown_number
from ..db.ids import first_uuid7
from ..models import (
    AccessToken,
    Call,
    Client,
    Grant,
    GrantEvent,
    RefreshToken,
    Tally,
)
from ..models.stops import Stops, stops_of
from .call import DONE
from .client_words import told
from .kit.display import identifier
from .kit.periods import LENGTHS
from .kit.utc import exact_tag
from .overview_charts import DEFAULT, PERIODS, charts
from .overview_figures import View
from .person_grants import by_client, to_person
from .person_history import shown_call, shown_event
from .related import lists_of, may_view, page_url

SHOWN: Final = 10
"""Rows of each list on the page."""
DAY: Final = timedelta(days=1)


def client_page(client: Client, request: HttpRequest) -> dict[str, Any]:
    """The template's context for the page of a client; without what the operator may not see."""
    now, stops = clock.now(), stops_of(client)
    grants = Grant.objects.filter(service=client.service_id, client=client.pk)
    sees = {name: may_view(request, name) for name in ("grant", "call", "grantevent")}
    return {
        "client": client,
        "facts": _facts(client),
        **told(client, request),
        "figures": _figures(client, request, now, str(stops.grants)) if sees["grant"] else [],
        "stops": list(_stops(stops, request)),
        "groups_of_grants": by_client(_newest(to_person(grants)), request) if sees["grant"] else [],
        "lists": {name: _list(request, name, client) for name, may in sees.items() if may},
        "calls": _calls(client) if sees["call"] else [],
        **_charts(client, request, now),
        "sees": sees,
        "events": _events(client) if sees["grantevent"] else [],
    }


def _facts(client: Client) -> list[tuple[Any, Any]]:
    return [
        (_("Client ID"), identifier(client.client_id)),
        (_("Number"), str(client.pk)),
        (_("Service"), client.service),
        (_("Locked"), exact_tag(client.locked_at)),
        (_("Cut off"), exact_tag(client.not_before)),
        (_("Deleted"), exact_tag(client.deleted_at)),
    ]


def _newest(grants: Any) -> list[Any]:
    return list(grants.order_by("-created_at", "-pk")[:SHOWN])


def _figures(
    client: Client, request: HttpRequest, now: datetime, active: str
) -> list[tuple[Any, str, str]]:
    """The figures: for each one a label, a number and the URL of the list behind it."""
    grants = Grant.objects.filter(service=client.service_id, client=client.pk)
    shown = _list(request, "grant", client)
    figures = [
        (_("active grants"), active, f"{shown}&status=active"),
        (_("grants in all"), _number(grants.order_by("-created_at")), shown),
    ]
    if may_view(request, "call") and client.service.call_log_size:
        refused = _calls_since(client, now - DAY).exclude(code__in=DONE)
        url = f"{_list(request, 'call', client)}&outcome=refused&period=24h"
        figures.append((_("refused calls, last 24 hours"), _number(refused.order_by("-pk")), url))
    return figures


def _charts(client: Client, request: HttpRequest, now: datetime) -> dict[str, Any]:
    """The charts of the client, of the period that the query names."""
    wanted = request.GET.get("period", "")
    period = wanted if wanted in PERIODS else DEFAULT
    view = View([client.service], client.client_id, now, Tally.current(now))
    return {
        "view": view,
        "periods": [(name, LENGTHS[name][0], name == period) for name in PERIODS],
        **charts(request, view, period, lists_of(request, client.service)),
    }


def _stops(stops: Stops, request: HttpRequest) -> Iterator[tuple[Any, str]]:
    """The numbers of its active grants, and of its tokens that work now, by kind; without those
    of rows that the operator may not see.
    """
    if may_view(request, "grant"):
        yield _("active grants"), str(stops.grants)
    for model, number in (
        (AccessToken, stops.access_tokens),
        (RefreshToken, stops.refresh_tokens),
    ):
        if may_view(request, str(model._meta.model_name)):
            yield model._meta.verbose_name_plural, str(number)


def _number(rows: Any) -> str:
    return shown_number(bounded_count(rows))


def _calls_since(client: Client, since: datetime) -> Any:
    calls = Call.objects.filter(service=client.service_id, client_id=client.client_id)
    return calls.filter(pk__gte=first_uuid7(since))


def _calls(client: Client) -> list[dict[str, Any]]:
    calls = Call.objects.filter(service=client.service_id, client_id=client.client_id)
    newest = calls.defer("answer", "steps").order_by("-pk")[:SHOWN]
    return [shown_call(call) for call in newest]


def _events(client: Client) -> list[dict[str, Any]]:
    events = GrantEvent.objects.filter(service=client.service_id, client_id=client.client_id)
    return [shown_event(event) for event in events.defer("details").order_by("-at", "-pk")[:SHOWN]]


def _list(request: HttpRequest, model: str, client: Client) -> str:
    """The URL of a list, limited to this client."""
    name = {"grantevent": "q"}.get(model, "client")
    query = urlencode({"service": client.service_id, name: client.client_id})
    return f"{page_url(request, f'{model}_changelist')}?{query}"
