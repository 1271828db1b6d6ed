"""Events of organizations: of their members, and of API tokens that open all their services."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from ..models import EventKind, OrganizationEvent
from .kit.display import indented, time_tag
from .kit.export import TURN, json_lines
from .kit.list_export import attached
from .kit.list_table import fields
from .kit.reasons import in_words
from .kit.short_filters import EventPeriodFilter, OrganizationFilter, chosen_of
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
RECENT: Final = 1_000
"""The newest events whose actors can be chosen."""
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

    title = _("kind of event")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The value and the label of each kind."""
        return [(kind.value, kind.label) for kind in KINDS]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        """The events of the chosen kind; all events where none is chosen."""
        chosen = chosen_of(self)
        return queryset if chosen is None else queryset.filter(kind=chosen)


class ActorFilter(admin.SimpleListFilter):
    """A filter by who did it, which offers those of the newest events."""

    title = _("name of whoever did it")
    parameter_name = "actor"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The names of the actors of the newest events that the operator sees."""
        newest = model_admin.get_queryset(request).order_by("-pk")[:RECENT]
        return [(name, name) for name in sorted(set(newest.values_list("actor", flat=True)))]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        """The events of the chosen actor; all events where none is chosen."""
        chosen = chosen_of(self)
        return queryset if chosen is None else queryset.filter(actor=chosen)


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
        ("organization", OrganizationFilter),
        "actor_kind",
        ActorFilter,
        EventPeriodFilter,
    )
    filter_lookups = frozenset({"organization__id__exact", "actor_kind__exact"})
    """Those of the filters above."""
    file_name = "organization-events"
    exports = (
        (_("Export CSV"), "export_csv"),
        (_("Export JSON Lines, with all fields"), "export_jsonl"),
    )
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

    @admin.display(description=_("event"))
    def what(self, event: OrganizationEvent) -> str:
        """The kind of the event, in words."""
        return event.kind_in_words

    @admin.display(description=_("when"))
    def when(self, event: OrganizationEvent) -> str:
        """The time, relative to now, with the exact time in UTC as its title."""
        return time_tag(event.at)

    @admin.display(description=_("done by"))
    def who(self, event: OrganizationEvent) -> str:
        """The actor's kind and name."""
        return event.done_by

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
        """The URLs of the list and of an event, and that of the export as JSON Lines."""
        wrap, name = self.admin_site.admin_view, "grant_management_organizationevent"
        receipt_url = "<path:object_id>/change/receipt.json"
        return [
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

    def export_json_lines(self, request: HttpRequest) -> HttpResponse | FileResponse:
        """The events of the CSV export, with all fields and the details of each, as JSON Lines."""
        if refused := self.refused_export(request):
            return refused
        events = self.to_export(self.selected(request, TURN))
        return attached(self, _as_json_lines(events), "jsonl", "application/jsonl")


def _as_json_lines(events: Iterable[OrganizationEvent]) -> Iterator[str]:
    return json_lines(map(_record, events))


def _record(event: OrganizationEvent) -> str:
    members = dict(zip(COLUMNS, _values(event), strict=True))
    return json.dumps(members | {"details": event.details})


def _values(event: OrganizationEvent) -> list[Any]:
    values = [getattr(event, name) for name in COLUMNS]
    return [str(event.pk), in_utc(event.at), *values[2:]]
