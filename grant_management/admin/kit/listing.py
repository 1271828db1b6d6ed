"""Lists: a form of filters, a table, and next and previous pages by key. A list is always limited
to known services, because every index begins with the service.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, ClassVar, Final, TypeVar

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from ...db.counting import shown_number
from ...db.keyset import Cursor, Merged, Ordered, Rows, all_of, page_of
from ...models import Service
from .display import link
from .read_only import ReadOnlyAdmin, limited
from .utc import NONE, FirstMomentField, LastMomentField

M = TypeVar("M", bound=models.Model)


class ListForm(forms.Form):
    """The filters of a list. Subclasses put those that an index answers into `narrow`, and the
    others into `condition`.

    `search_help` describes the search box; without it there is no box.
    """

    q = forms.CharField(
        label=_("Search"),
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "data-search": ""}),
    )
    service = forms.ModelChoiceField(
        Service.objects.none(), label=_("Service"), required=False, empty_label=_("All")
    )
    search_help: ClassVar[Any] = ""

    def __init__(self, *args: Any, services: "QuerySet[Service]", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.services = services
        self.fields["service"].queryset = services  # type: ignore[attr-defined]
        if self.search_help:
            self.fields["q"].help_text = self.search_help
        else:
            del self.fields["q"]

    def chosen(self) -> list[int]:
        """The number of the chosen service, or the numbers of all that this operator sees. The
        page, its count and its export all use this list, so they cover the same services.
        """
        service = self.cleaned_data.get("service")
        return self._all if service is None else [service.pk]

    @cached_property
    def _all(self) -> list[int]:
        return list(self.services.values_list("pk", flat=True))

    def where(self) -> str:
        """The services of the list, in words; "" where the operator sees none."""
        service = self.cleaned_data.get("service")
        if service is None and len(self._all) == 1:
            service = self.services.first()
        if service is not None:
            return _("in %(service)s") % {"service": service}
        if not self._all:
            return ""
        return _("in all %(n)s services") % {"n": len(self._all)}

    def narrow(self, rows: Rows) -> Rows:
        """The rows that match the filters that an index answers; here all rows."""
        return rows

    def condition(self) -> Q | None:
        """The filters that no index answers; None: there are none. A page looks for matches in a
        window of rows (see `db.keyset`).
        """
        return None

    def found_by(self, rows: Rows, ways: "list[Q]") -> Rows:
        """The rows that match at least one of these conditions, each of which has its own index.

        Conditions that match nothing are left out: with them, the OR would read the whole table.
        """
        known = rows.filter(service__in=self.chosen())
        finding = [way for way in ways if known.filter(way).exists()]
        return rows.filter(reduce(or_, finding)) if finding else rows.none()

    def given(self, *names: str) -> dict[str, Any]:
        """The values of those of these fields that are filled in."""
        return {name: self.cleaned_data[name] for name in names if self.cleaned_data.get(name)}


class BetweenForm(ListForm):
    """Adds a filter for the time in `moment_field`: from and to a day (UTC) or a moment."""

    moment_field: ClassVar[str] = "at"
    since = FirstMomentField(label=_("From (UTC)"), required=False)
    until = LastMomentField(label=_("To (UTC)"), required=False)

    def narrow(self, rows: Rows) -> Rows:
        """The rows from `since` to `until`, both included."""
        bounds = {"since": "gte", "until": "lte"}
        given = self.given(*bounds).items()
        return rows.filter(**{f"{self.moment_field}__{bounds[name]}": at for name, at in given})


@dataclass(frozen=True)
class Column:
    """A column of a list: `show` makes its text or HTML from a row.

    The column that `leads` is a link to the row's page.
    """

    label: Any
    show: Callable[[Any], Any]
    leads: bool = False


SERVICE: Final = Column(_("Service"), lambda row: row.service)
"""The first column of a list that shows several services."""


class ListAdmin(ReadOnlyAdmin[M]):
    """An admin for a model whose list can be a million rows long."""

    order: tuple[str, ...] = ("-pk",)
    is_merged: bool = True
    """Whether an index has the rows of each service in `order`. A page of several services is then
    merged from their indexes; otherwise it is read in `order`, by the primary key.
    """
    related: tuple[str, ...] = ("service",)
    large: tuple[str, ...] = ()
    """Columns that can be large, which a list does not read."""
    columns: tuple[Column, ...] = ()
    list_form: type[ListForm] = ListForm
    change_list_template = "admin/grant_management/list.html"
    empty_text: Any = _("Nothing here yet.")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """A page of the list, or only the form with its errors where that is invalid."""
        form = self._form(request)
        context: dict[str, Any] = {
            "form": form,
            "list": None,
            "tools": self.tools(request),
            "empty_text": self.empty_text,
            "query": _without_cursor(request),
        }
        if form.is_valid():
            context |= self._found(request, form)
        title = self.opts.verbose_name_plural
        return self.page(request, "list.html", str(title).capitalize(), **context)

    def _found(self, request: HttpRequest, form: ListForm) -> dict[str, Any]:
        services = form.chosen()
        cursor = Cursor.read(self.model, self.order, request.GET)
        rows = self._ordered(self.to_list(self._narrowed(request, form)), services)
        page = page_of(rows, cursor, form.condition())
        columns = (SERVICE, *self.columns) if len(services) > 1 else self.columns
        return {
            "list": page,
            "cells": [self._cells(columns, row) for row in page.rows],
            "labels": [column.label for column in columns],
            "shown_count": shown_number(page.count),
            "where": form.where(),
        }

    def selected(self, request: HttpRequest, size: int) -> Iterator[Rows]:
        """All rows of the list with this query, for an export: one service after the other, as
        querysets that each look at `size` rows. There are none where the form is invalid.
        """
        form = self._form(request)
        if not form.is_valid():
            return
        condition, rows = form.condition(), self._narrowed(request, form)
        for service in form.chosen():
            own = Ordered(rows.filter(service=service), self.order)
            yield from all_of(own, condition, size)

    def to_list(self, rows: Rows) -> Rows:
        """With the related rows that the columns show, and without the large columns."""
        return rows.select_related(*self.related).defer(*self.large)

    def _ordered(self, rows: Rows, services: list[int]) -> Ordered:
        if self.is_merged and len(services) > 1:
            return Merged(rows, self.order, tuple(services))
        return Ordered(rows.filter(service__in=services), self.order)

    def tools(self, request: HttpRequest) -> list[tuple[Any, str]]:
        """The buttons of the list: a label and a URL for each."""
        return []

    def _form(self, request: HttpRequest) -> ListForm:
        if not self.has_view_permission(request):
            raise PermissionDenied
        services = limited(Service.objects.order_by("name", "pk"), request, "organization")
        return self.list_form(request.GET, services=services)

    def _narrowed(self, request: HttpRequest, form: ListForm) -> Rows:
        return form.narrow(self.get_queryset(request))

    def _cells(self, columns: tuple[Column, ...], row: Any) -> list[Any]:
        page = self.url("change", row)
        shown = [(column, column.show(row)) for column in columns]
        return [
            (column.label, link(page, it) if column.leads else NONE if it in ("", None) else it)
            for column, it in shown
        ]


def _without_cursor(request: HttpRequest) -> str:
    kept = request.GET.copy()
    for name in ("after", "before"):
        kept.pop(name, None)
    return kept.urlencode()
