"""Events of organizations: of their members, and of API tokens that open all their services."""

import json
from collections.abc import Iterator
from typing import Any, Final

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from ..db import clock
from ..models import EventKind, OrganizationEvent
from .kit.display import indented, time_tag
from .kit.export import attachment, csv_lines, json_lines
from .kit.list_choices import columns_of
from .kit.list_table import fields
from .kit.reasons import in_words
from .kit.short_list import ShortListAdmin
from .kit.utc import in_utc
from .receipt import as_file, receipt

COLUMNS: Final = (
    "id",
    "at",
    "kind",
    "organization_id",
    "actor_kind",
    "actor",
    "actor_id",
    "reason",
    "note",
    "ticket",
)
CHUNK: Final = 2_000
"""Events in memory at a time, in an export."""
KINDS: Final = (
    EventKind.ORGANIZATION_CREATED,
    EventKind.ORGANIZATION_CHANGED,
    EventKind.OPERATOR_CREATED,
    EventKind.OPERATOR_CHANGED,
    EventKind.API_TOKEN_ISSUED,
    EventKind.API_TOKEN_ROTATED,
    EventKind.API_TOKEN_REVOKED,
    EventKind.API_TOKEN_CHANGED,
    EventKind.MEMBER_ADDED,
    EventKind.MEMBER_REMOVED,
    EventKind.IMPORTED,
)
"""The kinds that an organization's events can have; the others are of services only."""


class KindFilter(admin.SimpleListFilter):
    """A filter by kind, which offers only the kinds that concern organizations."""

    title = _("what")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The value and the label of each kind."""
        return [(kind.value, kind.label) for kind in KINDS]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        """The events of the chosen kind; all events where none is chosen."""
        return queryset if self.value() is None else queryset.filter(kind=self.value())


def _about(event: OrganizationEvent) -> str:
    told = event.details
    return str(told.get("user") or told.get("prefix") or told.get("source") or "")


@admin.register(OrganizationEvent)
class OrganizationEventAdmin(ShortListAdmin[OrganizationEvent]):
    """Events of organizations: who did what, when and why."""

    organization_path = "organization"
    list_display = ("what", "when", "who", "concerns", "about", "shown_reason", "ticket", "note")
    list_select_related = ("organization",)
    list_filter = (
        KindFilter,
        ("organization", admin.RelatedOnlyFieldListFilter),
        "actor_kind",
    )
    filter_lookups = frozenset({"kind", "organization__id__exact", "actor_kind__exact"})
    """Those of the filters above."""
    search_fields = ("actor__exact", "actor_id__exact", "ticket__exact")
    search_help_text = _("Exact: who did it, or a ticket")
    ordering = ("-pk",)
    in_one_order = True
    optional = frozenset({"note"})
    exported = {
        "what": fields("id", "kind"),
        "when": fields("at"),
        "who": fields("actor_kind", "actor", "actor_id"),
        "concerns": fields("organization_id"),
        "about": {"about": _about},
        "shown_reason": fields("reason"),
        "ticket": fields("ticket"),
        "note": fields("note"),
    }
    change_form_template = "admin/grant_management/event.html"

    @admin.display(description=_("what"))
    def what(self, event: OrganizationEvent) -> str:
        """The kind of the event, in words."""
        return event.get_kind_display()

    @admin.display(description=_("when"))
    def when(self, event: OrganizationEvent) -> str:
        """The time, relative to now, with the exact time in UTC as its title."""
        return time_tag(event.at)

    @admin.display(description=_("who"))
    def who(self, event: OrganizationEvent) -> str:
        """The actor's kind and name."""
        return f"{event.get_actor_kind_display()} {event.actor}"

    @admin.display(description=_("organization"))
    def concerns(self, event: OrganizationEvent) -> Any:
        """The organization, or a text for all where the event has none."""
        return event.organization or _("All organizations")

    @admin.display(description=_("about"))
    def about(self, event: OrganizationEvent) -> str:
        """The member's name, the API token's prefix or the source of an import; else ""."""
        return _about(event)

    @admin.display(description=_("reason"))
    def shown_reason(self, event: OrganizationEvent) -> str:
        """The reason, in the language of the page."""
        return in_words(event.reason)

    def get_urls(self) -> list[URLPattern]:
        """The URLs of the list and of an event, and those of both exports."""
        wrap, name = self.admin_site.admin_view, "grant_management_organizationevent"
        receipt_url = "<path:object_id>/change/receipt.json"
        return [
            path("export.csv", wrap(self.export_csv), name=f"{name}_export_csv"),
            path("export.jsonl", wrap(self.export_json_lines), name=f"{name}_export_jsonl"),
            path(receipt_url, wrap(self.receipt_view), name=f"{name}_receipt"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The event as a receipt."""
        event = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if event is not None:
            shown = format_html('<pre tabindex="0">{}</pre>', indented(event.details))
            context = {**receipt(event, request), "details": shown}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def receipt_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The receipt as a JSON file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        event = self.get_object(request, object_id)
        if event is None:
            raise Http404
        return as_file(event, request, self.url("change", event))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list, with buttons that export all pages of it."""
        query = request.GET.urlencode()
        tools = [
            (_("Export CSV"), f"{self.url('export_csv')}?{query}"),
            (_("Export JSON Lines, with all fields"), f"{self.url('export_jsonl')}?{query}"),
        ]
        return super().changelist_view(request, {"tools": tools, **(extra_context or {})})

    def export_csv(self, request: HttpRequest) -> FileResponse:
        """All pages of the list with the same query, as a CSV file with the columns that the
        operator chose.
        """
        columns = columns_of(self, request)
        shown = {name: read for column in columns for name, read in column.exported.items()}

        def write(events: Iterator[OrganizationEvent]) -> Iterator[str]:
            rows = ([read(event) for read in shown.values()] for event in events)
            return csv_lines(tuple(shown), rows)

        return self._stream(request, write, "csv", "text/csv; charset=utf-8")

    def export_json_lines(self, request: HttpRequest) -> FileResponse:
        """The same events as `export_csv`, with all fields and the details of each, as JSON
        Lines.
        """
        return self._stream(request, _as_json_lines, "jsonl", "application/jsonl")

    def _stream(
        self, request: HttpRequest, write: Any, ending: str, media_type: str
    ) -> FileResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            raise BadRequest from None
        name = f"organization-events-{clock.estimate():%Y%m%d-%H%M%S}.{ending}"
        return attachment(write(_in_chunks(rows)), name, media_type)


def _in_chunks(rows: "QuerySet[OrganizationEvent]") -> Iterator[OrganizationEvent]:
    """The events in the order of their keys, which is the order of time. Each chunk is a statement
    of its own, so no database cursor has to stay open between two of them.
    """
    rows = rows.order_by("pk")
    chunk = list(rows[:CHUNK])
    while chunk:
        yield from chunk
        chunk = list(rows.filter(pk__gt=chunk[-1].pk)[:CHUNK])


def _as_json_lines(events: Iterator[OrganizationEvent]) -> Iterator[str]:
    return json_lines(map(_record, events))


def _record(event: OrganizationEvent) -> str:
    members = dict(zip(COLUMNS, _values(event), strict=True))
    return json.dumps(members | {"details": event.details})


def _values(event: OrganizationEvent) -> list[Any]:
    values = [getattr(event, name) for name in COLUMNS]
    return [str(event.pk), in_utc(event.at), *values[2:]]
