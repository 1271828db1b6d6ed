"""Events of services and their grants: the list, a page for each event, and exports."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from ..db import clock
from ..db.keyset import Rows
from ..models import EventKind, GrantEvent
from ..models.event import ActorKind
from ..protocol import strict_json
from .kit.actions import REASONS
from .kit.content import LONG, Size, as_text, bounded, json_file
from .kit.display import identifier, indented, link, time_tag
from .kit.export import TURN, attachment, csv_lines, in_parts, json_lines
from .kit.listing import BetweenForm, Column, ListAdmin
from .kit.utc import in_utc
from .receipt import as_file, receipt

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
    "actor_id",
    "job",
)


class EventListForm(BetweenForm):
    """Filters: grant ID, subject, client ID or actor in one box; kind, reason and time."""

    search_help = _("Exact: a grant ID, a subject, a client ID or who did it")
    kind = forms.ChoiceField(
        label=_("What"), required=False, choices=[("", _("Anything")), *EventKind.choices]
    )
    actor_kind = forms.ChoiceField(
        label=_("Who"), required=False, choices=[("", _("Anybody")), *ActorKind.choices]
    )
    reason = forms.ChoiceField(label=_("Reason"), required=False, choices=REASONS)

    def narrow(self, rows: Rows) -> Rows:
        """By the search term in any of four columns, each with its own index; and by time."""
        rows = super().narrow(rows)
        term = self.cleaned_data.get("q")
        if not term:
            return rows
        names = ("grant_id", "subject", "client_id", "actor")
        return self.found_by(rows, [Q(**{name: term}) for name in names])

    def condition(self) -> Q | None:
        """By kind of event, kind of actor and reason."""
        return Q(**self.given("kind", "actor_kind", "reason")) or None


@admin.register(GrantEvent)
class GrantEventAdmin(ListAdmin[GrantEvent]):
    """Events: who did what, when and why."""

    order = ("-at", "-pk")
    list_form = EventListForm
    columns = (
        Column(_("What"), lambda event: event.get_kind_display(), leads=True),
        Column(_("When"), lambda event: time_tag(event.at)),
        Column(_("Who"), lambda event: f"{event.get_actor_kind_display()} {event.actor}"),
        Column(_("Client"), lambda event: event.client_id),
        Column(_("Subject"), lambda event: event.subject),
        Column(_("Grant"), lambda event: identifier(event.grant_id)),
        Column(_("Reason"), lambda event: event.reason),
        Column(_("Ticket"), lambda event: event.ticket),
    )
    change_form_template = "admin/grant_management/event.html"
    large = ("details",)
    exclude = ("details",)
    readonly_fields = ("what_exactly",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[GrantEvent]":
        """Without the events' details, which may be large: a page reads as much as it shows."""
        return super().get_queryset(request).defer("details")

    @admin.display(description=_("details"))
    def what_exactly(self, event: GrantEvent) -> str:
        """The details as indented JSON, or a link to a file where they are too long."""
        text = bounded(as_text("details"), LONG)
        said = GrantEvent.objects.annotate(text=text).values_list("text", flat=True)
        shown = said.get(pk=event.pk)
        if shown is not None:
            return format_html('<pre tabindex="0">{}</pre>', indented(strict_json.stored(shown)))
        return link(self.url("details", event), _("Too long for a page: as a file (JSON)"))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The event as a receipt."""
        event = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if event is not None:
            context = {**receipt(event, self, request), "details": self.what_exactly(event)}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def receipt_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The receipt as a JSON file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        event = self.get_object(request, object_id)
        if event is None:
            raise Http404
        return as_file(event, request, self.url("change", event))

    def tools(self, request: HttpRequest) -> list[tuple[Any, str]]:
        """Buttons that export all pages of the list with the same query."""
        query = request.GET.urlencode()
        return [
            (_("Export CSV"), f"{self.url('export_csv')}?{query}"),
            (_("Export JSON Lines"), f"{self.url('export_jsonl')}?{query}"),
        ]

    def get_urls(self) -> list[URLPattern]:
        """The URLs of the list and of an event; of both exports, and of an event's details."""
        wrap, name = self.admin_site.admin_view, "grant_management_grantevent"
        details = "<path:object_id>/details.json"
        return [
            path("export.csv", wrap(self.export_csv), name=f"{name}_export_csv"),
            path("export.jsonl", wrap(self.export_json_lines), name=f"{name}_export_jsonl"),
            path(details, wrap(self.details_view), name=f"{name}_details"),
            path(
                "<path:object_id>/change/receipt.json",
                wrap(self.receipt_view),
                name=f"{name}_receipt",
            ),
            *super().get_urls(),
        ]

    def export_csv(self, request: HttpRequest) -> FileResponse:
        """All pages of the list with the same query, as a CSV file without details."""
        lines = csv_lines(COLUMNS, map(_values, self._exported(request)))
        return self._attached(lines, "csv", "text/csv; charset=utf-8")

    def export_json_lines(self, request: HttpRequest) -> FileResponse:
        """The same events as `export_csv`, as JSON Lines with the details of each."""
        records = map(_as_json, self._exported(request))
        return self._attached(json_lines(records), "jsonl", "application/jsonl")

    def details_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The whole details of an event as a JSON file; its page shows only as much as fits."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        event = self.get_object(request, object_id)
        if event is None:
            raise Http404
        rows = GrantEvent.objects.filter(pk=event.pk).annotate(text=as_text("details"))
        return json_file(rows.values_list("text", flat=True).get(), f"event-{event.pk}.json")

    def _exported(self, request: HttpRequest) -> Iterator[GrantEvent]:
        if not self.has_view_permission(request):
            raise PermissionDenied
        details = as_text("details")
        turns = (rows.annotate(text=details) for rows in self.selected(request, TURN))
        return in_parts(turns, Size(details))

    def _attached(self, lines: Iterable[str], ending: str, media_type: str) -> FileResponse:
        name = f"events-{clock.estimate():%Y%m%d-%H%M%S}.{ending}"
        return attachment(lines, name, media_type)


def _as_json(event: Any) -> str:
    """The event as one line of JSON; the details are the stored text, which is not parsed."""
    members = json.dumps(dict(zip(COLUMNS, _values(event), strict=True)))
    return f'{members[:-1]}, "details": {event.text}}}'


def _values(event: GrantEvent) -> list[Any]:
    # `id`, `at` and `job`, the first two and the last of the columns, are written as text.
    values = [getattr(event, name) for name in COLUMNS[2:-1]]
    return [str(event.pk), in_utc(event.at), *values, str(event.job or "")]
