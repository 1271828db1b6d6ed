"""What is left behind: nonces and events; and the events to take away."""

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..models import DPoPNonce, EventKind, GrantEvent
from .actions import ObjectAction, OperatorAdmin, Text
from .read_only import ReadOnlyAdmin

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
CHUNK: Final = 2_000


def _what_expires(nonce: DPoPNonce) -> Iterable[Text]:
    yield _("Proofs with this nonce are refused from now on: their clients get a new one at once.")


EXPIRE = ObjectAction(
    name="expire",
    permission="expire_dpopnonce",
    label=_("Expire now"),
    kind=EventKind.NONCE_EXPIRED,
    applies=lambda nonce: nonce.expires_at > timezone.now(),
    describe=_what_expires,
    perform=DPoPNonce.expire,
)


@admin.register(DPoPNonce)
class DPoPNonceAdmin(OperatorAdmin[DPoPNonce]):
    """The nonces that services handed out. They are no secrets: every client sees them."""

    object_actions = (EXPIRE,)
    list_display = ("service", "value", "not_before", "expires_at")
    list_select_related = ("service",)
    ordering = ("-not_before",)


@admin.register(GrantEvent)
class GrantEventAdmin(ReadOnlyAdmin[GrantEvent]):
    """Who did what, when and why."""

    list_display = ("at", "kind", "actor", "client_id", "subject", "grant_id", "reason", "service")
    list_select_related = ("service",)
    list_filter = ("kind", "actor_kind", "reason", "at")
    search_fields = ("grant_id__exact", "subject__exact", "client_id__exact", "actor__exact")
    ordering = ("-at",)
    change_list_template = "admin/grant_management/grantevent/change_list.html"

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
        rows = self.get_changelist_instance(request).get_queryset(request)
        events = rows.select_related(None).iterator(chunk_size=CHUNK)
        response = StreamingHttpResponse(write(events), content_type=media_type)
        name = f"events-{timezone.now():%Y%m%d-%H%M%S}.{ending}"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


class _Line:
    """A file whose write hands the line back."""

    def write(self, line: str) -> str:
        return line


def _as_csv(events: Iterator[GrantEvent]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(COLUMNS)
    for event in events:
        yield writer.writerow([_cell(value) for value in _values(event)])


def _as_json_lines(events: Iterator[GrantEvent]) -> Iterator[str]:
    for event in events:
        members = dict(zip(COLUMNS, _values(event), strict=True))
        yield json.dumps(members | {"details": event.details}) + "\n"


def _values(event: GrantEvent) -> list[Any]:
    values = [getattr(event, name) for name in COLUMNS]
    return [str(event.pk), event.at.isoformat(), *values[2:]]


def _cell(value: Any) -> Any:
    """A spreadsheet takes a cell that starts so for a formula: a quote makes it text."""
    risky = isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{value}" if risky else value
