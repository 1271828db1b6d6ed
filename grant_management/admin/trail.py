"""What is left behind: nonces and events; and the events to take away."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from ..db import clock
from ..models import DPoPNonce, EventKind, GrantEvent
from ..models.event import ActorKind
from .actions import REASONS, ObjectAction, OperatorAdmin, Text
from .display import identifier, moment
from .export import as_csv_line, attachment
from .keyset import Rows
from .listing import BetweenForm, Column, ListAdmin, found_by

COLUMNS: Final = (
    "id",
    "at",
    "kind",
    "service_id",
    "client_id",
    "subject",
    "grant_id",
    "actor_kind",
    "actor",
    "reason",
    "note",
    "ticket",
)
CHUNK: Final = 200
"""Events in memory at a time: what they say can be long."""


def _what_expires(nonce: DPoPNonce) -> Iterable[Text]:
    yield _("Proofs with this nonce are refused from now on: their clients get a new one at once.")


EXPIRE = ObjectAction(
    name="expire",
    permission="expire_dpopnonce",
    label=_("Expire now"),
    kind=EventKind.NONCE_EXPIRED,
    applies=lambda nonce: nonce.expires_at > clock.estimate(),
    describe=_what_expires,
    perform=DPoPNonce.expire,
)


@admin.register(DPoPNonce)
class DPoPNonceAdmin(ListAdmin[DPoPNonce], OperatorAdmin[DPoPNonce]):
    """The nonces that services handed out. They are no secrets: every client sees them."""

    object_actions = (EXPIRE,)
    columns = (
        Column(_("From"), str, leads=True),
        Column(_("Service"), lambda nonce: nonce.service),
        Column(_("Value"), lambda nonce: identifier(nonce.value)),
        Column(_("Expires"), lambda nonce: moment(nonce.expires_at)),
    )


class EventListForm(BetweenForm):
    """By whom and whom it was about, in one box; and more."""

    search_help = _("Exact: a grant ID, a subject, a client ID or who did it")
    kind = forms.ChoiceField(
        label=_("What"), required=False, choices=[("", _("Anything")), *EventKind.choices]
    )
    actor_kind = forms.ChoiceField(
        label=_("Who"), required=False, choices=[("", _("Anybody")), *ActorKind.choices]
    )
    reason = forms.ChoiceField(label=_("Reason"), required=False, choices=REASONS)

    def narrow(self, rows: Rows) -> Rows:
        """By what was searched for, each way by its own index; and when it was."""
        rows = super().narrow(rows)
        term = self.cleaned_data.get("q")
        if not term:
            return rows
        names = ("grant_id", "subject", "client_id", "actor")
        return found_by(rows, [Q(**{name: term}) for name in names])

    def condition(self) -> Q | None:
        """By what was done, by what kind of actor, and why."""
        return Q(**self.given("kind", "actor_kind", "reason")) or None


@admin.register(GrantEvent)
class GrantEventAdmin(ListAdmin[GrantEvent]):
    """Who did what, when and why."""

    order = ("-at", "-pk")
    list_form = EventListForm
    columns = (
        Column(_("What"), lambda event: event.get_kind_display(), leads=True),
        Column(_("When"), lambda event: moment(event.at)),
        Column(_("Who"), lambda event: f"{event.get_actor_kind_display()} {event.actor}"),
        Column(_("Client"), lambda event: event.client_id),
        Column(_("Subject"), lambda event: event.subject),
        Column(_("Grant"), lambda event: identifier(event.grant_id)),
        Column(_("Reason"), lambda event: event.reason),
        Column(_("Ticket"), lambda event: event.ticket),
    )
    change_form_template = "admin/grant_management/event.html"

    def tools(self, request: HttpRequest) -> list[tuple[Any, str]]:
        """Take away what the list shows, all pages of it."""
        query = request.GET.urlencode()
        return [
            (_("Export CSV"), f"{self.url('export_csv')}?{query}"),
            (_("Export JSON Lines"), f"{self.url('export_jsonl')}?{query}"),
        ]

    def get_urls(self) -> list[URLPattern]:
        """Two ways to take them away."""
        wrap, name = self.admin_site.admin_view, "grant_management_grantevent_export"
        return [
            path("export.csv", wrap(self.export_csv), name=f"{name}_csv"),
            path("export.jsonl", wrap(self.export_json_lines), name=f"{name}_jsonl"),
            *super().get_urls(),
        ]

    def export_csv(self, request: HttpRequest) -> StreamingHttpResponse:
        """What the list shows with the same query, all pages of it."""
        return self._stream(request, _as_csv, "csv", "text/csv; charset=utf-8")

    def export_json_lines(self, request: HttpRequest) -> StreamingHttpResponse:
        """As `export_csv`, and with the details of each event."""
        return self._stream(request, _as_json_lines, "jsonl", "application/jsonl")

    def _stream(
        self, request: HttpRequest, write: Any, ending: str, media_type: str
    ) -> StreamingHttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        events = self.selected(request).select_related(None).iterator(chunk_size=CHUNK)
        name = f"events-{clock.estimate():%Y%m%d-%H%M%S}.{ending}"
        return attachment(write(events), name, media_type)


def _as_csv(events: Iterator[GrantEvent]) -> Iterator[str]:
    yield as_csv_line(COLUMNS)
    for event in events:
        yield as_csv_line(_values(event))


def _as_json_lines(events: Iterator[GrantEvent]) -> Iterator[str]:
    for event in events:
        members = dict(zip(COLUMNS, _values(event), strict=True))
        yield json.dumps(members | {"details": event.details}) + "\n"


def _values(event: GrantEvent) -> list[Any]:
    values = [getattr(event, name) for name in COLUMNS]
    return [str(event.pk), event.at.isoformat(), *values[2:]]
