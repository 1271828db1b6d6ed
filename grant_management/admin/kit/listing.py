"""A list: one form of filters, one table, next and previous by key. Always of known services, so
that an index leads to every row of it.
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
    """The filters of a list. Subclasses say which of them an index answers."""

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
        """The numbers of the service that was chosen, or of all that this operator sees: the page,
        its count and its export mean the same.
        """
        service = self.cleaned_data.get("service")
        return self._all if service is None else [service.pk]

    @cached_property
    def _all(self) -> list[int]:
        return list(self.services.values_list("pk", flat=True))

    def where(self) -> str:
        """Which services these are, in words."""
        service = self.cleaned_data.get("service")
        if service is None and len(self._all) == 1:
            service = self.services.first()
        if service is not None:
            return _("in %(service)s") % {"service": service}
        if not self._all:
            return ""
        return _("in all %(n)s services") % {"n": len(self._all)}

    def narrow(self, rows: Rows) -> Rows:
        """By what an index finds."""
        return rows

    def condition(self) -> Q | None:
        """By what no index finds."""
        return None

    def found_by(self, rows: Rows, ways: "list[Q]") -> Rows:
        """Those that one of the ways finds, each by its own index: an OR over ways that find
        nothing would read the table.
        """
        known = rows.filter(service__in=self.chosen())
        finding = [way for way in ways if known.filter(way).exists()]
        return rows.filter(reduce(or_, finding)) if finding else rows.none()

    def given(self, *names: str) -> dict[str, Any]:
        """The values of these fields that there are."""
        return {name: self.cleaned_data[name] for name in names if self.cleaned_data.get(name)}


class BetweenForm(ListForm):
    """With two days (UTC), the second included; or with two moments."""

    moment_field: ClassVar[str] = "at"
    since = FirstMomentField(label=_("From (UTC)"), required=False)
    until = LastMomentField(label=_("To (UTC)"), required=False)

    def narrow(self, rows: Rows) -> Rows:
        """Between the two."""
        bounds = {"since": "gte", "until": "lte"}
        given = self.given(*bounds).items()
        return rows.filter(**{f"{self.moment_field}__{bounds[name]}": at for name, at in given})


@dataclass(frozen=True)
class Column:
    """What a row shows; the column that `leads` is a link to the row's page."""

    label: Any
    show: Callable[[Any], Any]
    leads: bool = False


SERVICE: Final = Column(_("Service"), lambda row: row.service)
"""In front of the others where a list shows several services."""


class ListAdmin(ReadOnlyAdmin[M]):
    """A model whose list can be a million rows long."""

    order: tuple[str, ...] = ("-pk",)
    is_merged: bool = True
    """Whether the index of each service leads to its rows in this order."""
    related: tuple[str, ...] = ("service",)
    large: tuple[str, ...] = ()
    """Columns that can be large: no list reads them."""
    columns: tuple[Column, ...] = ()
    list_form: type[ListForm] = ListForm
    change_list_template = "admin/grant_management/list.html"
    empty_text: Any = _("Nothing here yet.")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """A page of the list."""
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
        """All rows of the list with this query, to take away: a service after the other, in turns
        that look at so many rows. None where the query cannot be read.
        """
        form = self._form(request)
        if not form.is_valid():
            return
        condition, rows = form.condition(), self._narrowed(request, form)
        for service in form.chosen():
            own = Ordered(rows.filter(service=service), self.order)
            yield from all_of(own, condition, size)

    def to_list(self, rows: Rows) -> Rows:
        """With what the columns show, and nothing that is large."""
        return rows.select_related(*self.related).defer(*self.large)

    def _ordered(self, rows: Rows, services: list[int]) -> Ordered:
        if self.is_merged and len(services) > 1:
            return Merged(rows, self.order, tuple(services))
        return Ordered(rows.filter(service__in=services), self.order)

    def tools(self, request: HttpRequest) -> list[tuple[Any, str]]:
        """What stands beside the list: a label and a URL each."""
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
