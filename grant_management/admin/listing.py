"""A list: one form of filters, one table, next and previous by key. Always of known services, so
that an index leads to every row of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from operator import or_
from typing import Any, ClassVar, TypeVar

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from ..models import Service, shown_number
from .display import NONE, link
from .keyset import Cursor, Rows, page_of
from .read_only import ReadOnlyAdmin, limited

M = TypeVar("M", bound=models.Model)


class ListForm(forms.Form):
    """The filters of a list. Subclasses say which of them an index answers."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "data-search": ""}),
    )
    service = forms.ModelChoiceField(
        Service.objects.none(), label=_("Service"), required=False, empty_label=_("All, to search")
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

    def chosen(self) -> list[Service]:
        """The service that was chosen; all to search in; else the first."""
        service = self.cleaned_data.get("service")
        if service is not None:
            return [service]
        return list(self.services if self.cleaned_data.get("q") else self.services[:1])

    def narrow(self, rows: Rows) -> Rows:
        """By what an index finds."""
        return rows

    def condition(self) -> Q | None:
        """By what no index finds."""
        return None

    def given(self, *names: str) -> dict[str, Any]:
        """The values of these fields that there are."""
        return {name: self.cleaned_data[name] for name in names if self.cleaned_data.get(name)}


def found_by(rows: Rows, ways: "list[Q]") -> Rows:
    """Those that one of the ways finds, each by its own index: an OR over ways that find nothing
    would read the table.
    """
    finding = [way for way in ways if rows.filter(way).exists()]
    return rows.filter(reduce(or_, finding)) if finding else rows.none()


class BetweenForm(ListForm):
    """With two dates (UTC), the second included."""

    moment_field: ClassVar[str] = "at"
    since = forms.DateField(label=_("From"), required=False)
    until = forms.DateField(label=_("To"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("since", "until"):
            self.fields[name].widget = forms.DateInput(attrs={"type": "date"})

    def narrow(self, rows: Rows) -> Rows:
        """Between the two."""
        values = self.given("since", "until")
        if "since" in values:
            rows = rows.filter(**{f"{self.moment_field}__gte": _midnight(values["since"])})
        if "until" in values and values["until"] < date.max:
            end = _midnight(values["until"] + timedelta(days=1))
            rows = rows.filter(**{f"{self.moment_field}__lt": end})
        return rows


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


@dataclass(frozen=True)
class Column:
    """What a row shows; the column that `leads` is a link to the row's page."""

    label: Any
    show: Callable[[Any], Any]
    leads: bool = False


class ListAdmin(ReadOnlyAdmin[M]):
    """A model whose list can be a million rows long."""

    order: tuple[str, ...] = ("-pk",)
    related: tuple[str, ...] = ("service",)
    columns: tuple[Column, ...] = ()
    list_form: type[ListForm] = ListForm
    change_list_template = "admin/grant_management/list.html"
    empty_text: Any = _("Nothing here yet.")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """A page of the list."""
        form = self._form(request)
        page = cells = None
        if form.is_valid():
            cursor = Cursor.read(self.model, self.order, request.GET)
            rows = self._narrowed(request, form)
            page = page_of(rows, self.order, cursor, form.condition())
            cells = [self._cells(row) for row in page.rows]
        context = {
            "form": form,
            "list": page,
            "cells": cells,
            "labels": [column.label for column in self.columns],
            "shown_count": shown_number(page.count) if page else "",
            "tools": self.tools(request),
            "empty_text": self.empty_text,
            "query": _without_cursor(request),
        }
        title = self.opts.verbose_name_plural
        return self.page(request, "list.html", str(title).capitalize(), **context)

    def selected(self, request: HttpRequest) -> Rows:
        """All rows of the list with this query, to take away. Empty where it cannot be read."""
        form = self._form(request)
        if not form.is_valid():
            return self.get_queryset(request).none()
        rows = self._narrowed(request, form)
        condition = form.condition()
        rows = rows if condition is None else rows.filter(condition)
        return rows.order_by(*self.order)

    def tools(self, request: HttpRequest) -> list[tuple[Any, str]]:
        """What stands beside the list: a label and a URL each."""
        return []

    def _form(self, request: HttpRequest) -> ListForm:
        if not self.has_view_permission(request):
            raise PermissionDenied
        services = limited(Service.objects.order_by("name", "pk"), request, "organization")
        return self.list_form(_with_service(request.GET, services), services=services)

    def _narrowed(self, request: HttpRequest, form: ListForm) -> Rows:
        rows = self.get_queryset(request).filter(service__in=form.chosen())
        return form.narrow(rows.select_related(*self.related))

    def _cells(self, row: Any) -> list[Any]:
        page = self.url("change", row)
        shown = [(column, column.show(row)) for column in self.columns]
        return [
            (column.label, link(page, it) if column.leads else NONE if it in ("", None) else it)
            for column, it in shown
        ]


def _with_service(params: Any, services: "QuerySet[Service]") -> Any:
    """Where nothing is searched for, the first service is shown as the chosen one."""
    if params.get("q") or params.get("service"):
        return params
    first = services.first()
    shown = params.copy()
    if first is not None:
        shown["service"] = str(first.pk)
    return shown


def _without_cursor(request: HttpRequest) -> str:
    kept = request.GET.copy()
    for name in ("after", "before"):
        kept.pop(name, None)
    return kept.urlencode()
