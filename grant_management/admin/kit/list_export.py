"""The CSV export of a list: the rows of all its pages, with the columns that its operator sees."""

from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from django.http import FileResponse, HttpRequest, HttpResponse
from django.urls import URLPattern, path

from ...db import clock, replica
from ...redaction import redacted
from . import list_choices
from .export import TURN, attachment, csv_lines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .listing import ListAdmin
    from .short_list import ShortListAdmin

    Admin: TypeAlias = ListAdmin[Any] | ShortListAdmin[Any]


def urls(of: "Admin") -> list[URLPattern]:
    """The URL of the export; none where the list has none."""
    if not of.file_name:
        return []
    view = of.admin_site.admin_view(partial(export_csv, of))
    return [path("export.csv", view, name=f"grant_management_{of.opts.model_name}_export_csv")]


@redacted
def export_csv(of: "Admin", request: HttpRequest) -> HttpResponse | FileResponse:
    """All pages of the list with the same query, as a CSV file with the columns that the operator
    chose. The column that leads has the keys of a row, as on the page it has the link to it.
    """
    if refused := of.refused_export(request):
        return refused
    shown = list_choices.columns_of(of, request)
    fields = {name: read for column in shown for name, read in column.exported.items()}

    def export() -> FileResponse:
        rows = of.to_export(of.selected(request, TURN))
        lines = csv_lines(tuple(fields), ([read(row) for read in fields.values()] for row in rows))
        return attached(of, lines, "csv", "text/csv; charset=utf-8")

    return replica.read(export)[0]


def attached(of: "Admin", lines: "Iterable[str]", ending: str, media_type: str) -> FileResponse:
    """A file of the list, with the time in its name."""
    name = f"{of.file_name}-{clock.estimate():%Y%m%d-%H%M%S}.{ending}"
    return attachment(lines, name, media_type)
