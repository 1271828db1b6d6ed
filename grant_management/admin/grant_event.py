"""Events of services and their grants: the list, a page for each event, and exports."""

import json
from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ..db import replica
from ..db.counting import grouped
from ..db.keyset import Order, Rows
from ..db.of_service import these
from ..models import EventKind, GrantEvent, Sweep
from ..models.event import HEADS, ActorKind
from ..protocol import strict_json
from ..redaction import redacted
from .kit.actions import REASONS
from .kit.content import LONG, Size, as_text, bounded, json_file
from .kit.display import identifier, indented, link, time_tag
from .kit.export import TURN, in_parts, json_lines
from .kit.list_export import attached
from .kit.listing import Column, ListAdmin, fields, text
from .kit.reasons import in_words
from .kit.utc import in_utc
from .of_person import OfPersonForm
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


class EventListForm(OfPersonForm):
    """Filters: grant ID, subject, client ID or actor in one box; ticket, job, kind, reason, time.

    Each event of a job is shown where one of its own is looked for; else the job is one row.
    """

    searches = _("Grant ID, subject, client ID or who did it")
    ticket = forms.CharField(label=_("Ticket"), required=False, max_length=255)
    job = forms.UUIDField(label=_("Job"), required=False)
    each = forms.BooleanField(label=_("Each event of a job"), required=False)
    kind = forms.ChoiceField(
        label=_("Kind of event"), required=False, choices=[("", _("Any")), *EventKind.choices]
    )
    actor_kind = forms.ChoiceField(
        label=_("Done by"), required=False, choices=[("", _("Anybody")), *ActorKind.choices]
    )
    reason = forms.ChoiceField(label=_("Reason"), required=False, choices=REASONS)

    def narrow(self, rows: Rows) -> Rows:
        """By the search term in any of four columns, each with its own index; by ticket, by job
        and by time.
        """
        rows = super().narrow(rows).filter(**self.given("job", "ticket"))
        if self.subject() is not None:
            rows = rows.filter(subject=self.subject())
        if "ticket" in self.given("ticket"):
            rows = rows.filter(~Q(ticket=""))  # so that the index, which has the others, is used
        term = self.cleaned_data.get("q")
        if not term:
            return rows
        names = ("grant_id", "subject", "client_id", "actor")
        return self.found_by(rows, [Q(**{name: term}) for name in names])

    def condition(self) -> Q | None:
        """By kind of event, kind of actor and reason."""
        return Q(**self.given("kind", "actor_kind", "reason")) or None

    def ordered(self, order: Order) -> Order:
        """The index of a job's events has them by key, which is the order of their times."""
        return order[1:] if self.given("job") else order

    def is_grouped(self) -> bool:
        """Whether a page shows a job as one row."""
        return not self.given("q", "job", "kind", "each", "person")


_GROUPED: Final = _(
    "A revoke by filter is one row; its number leads to all its events. An export has them all."
)


def _job(event: Any) -> Any:
    """The number of grants that the job revoked, as a link to the job's events.

    A revoke of several grants of a person has no row of its own, so its events are not counted.
    """
    if event.sweep is None:
        return link(event.events_url, _("several grants")) if event.job else ""
    revoked = ngettext("%(n)s grant", "%(n)s grants", event.sweep.revoked)
    return link(event.events_url, revoked % {"n": grouped(event.sweep.revoked)})


@admin.register(GrantEvent)
class GrantEventAdmin(ListAdmin[GrantEvent]):
    """Events: who did what, when and why."""

    order = ("-at", "-pk")
    list_form = EventListForm
    columns = (
        Column(
            _("Event"),
            lambda event: event.kind_in_words,
            leads=True,
            exported=fields("id", "service_id", "kind"),
        ),
        Column(
            _("When"),
            lambda event: time_tag(event.at),
            key="at",
            sort=("at", "pk"),
            exported=fields("at"),
        ),
        Column(
            _("Done by"),
            lambda event: event.done_by,
            key="who",
            exported=fields("actor_kind", "actor", "actor_id"),
        ),
        text(_("Client"), "client_id", "client"),
        text(_("Subject"), "subject", "subject"),
        Column(
            _("Grant"),
            lambda event: identifier(event.grant_id, _("grant ID")),
            key="grant",
            exported=fields("grant_id"),
        ),
        Column(_("Job"), _job, key="job", exported=fields("job")),
        Column(
            _("Reason"),
            lambda event: in_words(event.reason),
            key="reason",
            exported=fields("reason"),
        ),
        text(_("Ticket"), "ticket", "ticket"),
        text(_("Note"), "note", "note", is_default=False),
        text(_("Event number"), "id", "number", is_default=False),
    )
    file_name = "events"
    ready_views = (
        (_("Revoked by operators"), "kind=revoked&actor_kind=operator"),
        (_("Cut-offs"), "kind=cut_off"),
        (_("Locked clients"), "kind=client_locked"),
    )
    exports = (
        (_("Export CSV"), "export_csv"),
        (_("Export JSON Lines, with all fields"), "export_jsonl"),
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
        shown = event.its_row().annotate(text=text).values_list("text", flat=True).get()
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
            context = {**receipt(event, request), "details": self.what_exactly(event)}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def receipt_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The receipt as a JSON file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        event = self.get_object(request, object_id)
        if event is None:
            raise Http404
        return as_file(event, request, self.url("change", event))

    def to_page(self, rows: Rows, form: EventListForm) -> Rows:
        """One row for each job, that of its start, unless single events are looked for."""
        return rows.filter(HEADS) if form.is_grouped() else rows

    def complete(self, request: HttpRequest, rows: list[Any]) -> None:
        """With the job of each row, and where its events are. 1 query."""
        of_jobs = these(Sweep.objects, {(row.job, row.service_id) for row in rows if row.job})
        jobs = {job.pk: job for job in of_jobs}
        events = self.url("changelist")
        for row in rows:
            row.sweep = jobs.get(row.job)
            query = urlencode({"service": row.service_id, "job": row.job})
            row.events_url = f"{events}?{query}"

    def note(self, form: EventListForm) -> Any:
        """That a job is one row here, and all its events in an export."""
        return _GROUPED if form.is_grouped() else ""

    def get_urls(self) -> list[URLPattern]:
        """The URLs of the list and of an event; of the export as JSON Lines, and of an event's
        details.
        """
        wrap, name = self.admin_site.admin_view, "grant_management_grantevent"
        details = "<path:object_id>/details.json"
        return [
            path("export.jsonl", wrap(self.export_json_lines), name=f"{name}_export_jsonl"),
            path(details, wrap(self.details_view), name=f"{name}_details"),
            path(
                "<path:object_id>/change/receipt.json",
                wrap(self.receipt_view),
                name=f"{name}_receipt",
            ),
            *super().get_urls(),
        ]

    @redacted
    def export_json_lines(self, request: HttpRequest) -> HttpResponse | FileResponse:
        """The events of the CSV export, each event of a job among them, with all fields and the
        details of each, as JSON Lines.
        """
        if refused := self.refused_export(request):
            return refused
        details = as_text("details")

        def export() -> FileResponse:
            turns = self.selected(request, TURN)
            shown = (rows.defer("details").annotate(text=details) for rows in turns)
            lines = json_lines(map(_as_json, in_parts(shown, Size(details))))
            return attached(self, lines, "jsonl", "application/jsonl")

        return replica.read(export)[0]

    def details_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The whole details of an event as a JSON file; its page shows only as much as fits."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        event = self.get_object(request, object_id)
        if event is None:
            raise Http404
        rows = event.its_row().annotate(text=as_text("details"))
        return json_file(rows.values_list("text", flat=True).get(), f"event-{event.pk}.json")


def _as_json(event: Any) -> str:
    """The event as one line of JSON; the details are the stored text, which is not parsed."""
    members = json.dumps(dict(zip(COLUMNS, _values(event), strict=True)))
    return f'{members[:-1]}, "details": {event.text}}}'


def _values(event: GrantEvent) -> list[Any]:
    # `id`, `at` and `job`, the first two and the last of the columns, are written as text.
    values = [getattr(event, name) for name in COLUMNS[2:-1]]
    return [str(event.pk), in_utc(event.at), *values, str(event.job or "")]
