"""Lists: a form of filters, a table, and next and previous pages by key. A list is always limited
to known services, because every index begins with the service.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import chain
from typing import Any, Final, TypeVar

from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from ...db import replica
from ...db.counting import shown_number
from ...db.keyset import Cursor, Merged, Order, Ordered, Page, Rows, all_of, page_of
from ...models import Service
from ...redaction import redacted
from . import list_choices, list_export
from .display import as_of
from .list_form import SORT, BetweenForm, ListForm, StoredLaterForm, texts_of
from .list_query import ListQuery
from .list_table import Column, Table, fields, moment, text, turned
from .read_only import ReadOnlyAdmin, limited
from .typed import params

__all__ = [
    "SERVICE",
    "BetweenForm",
    "Column",
    "ListAdmin",
    "ListForm",
    "StoredLaterForm",
    "fields",
    "moment",
    "text",
]

M = TypeVar("M", bound=models.Model)

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
    exports: tuple[tuple[Any, str], ...] = ((_("Export CSV"), "export_csv"),)
    """The label of each export, and the end of its URL's name."""
    file_name: str = ""
    """How the names of exported files begin; "": the list has no export."""

    ready_views: tuple[tuple[Any, str], ...] = ()
    """Views for everybody, before those that an operator saved: a label and a query of each."""

    def query_names(self) -> set[str]:
        """The parameters that a saved view keeps: the filters and the order."""
        return {SORT, "q", *self.list_form.base_fields}

    @cached_property
    def texts(self) -> frozenset[str]:
        """The filters that take any text: no URL shows what is in them (see `typed`)."""
        return texts_of(self.list_form)

    def get_urls(self) -> list[URLPattern]:
        """The URLs of the list and of a row, and those of what an operator keeps of the list."""
        return [*list_choices.urls(self), *list_export.urls(self), *super().get_urls()]

    @redacted
    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """A page of the list. Filters that are posted lead to their page, if they are valid."""
        form = self._form(request)
        if request.method == "POST" and form.is_valid():
            return HttpResponseRedirect(f"?{list_choices.address(self, request.POST)}")
        return self._listed(request, form)

    def _listed(self, request: HttpRequest, form: ListForm) -> HttpResponse:
        """The page of a form, or only the form with its errors where that is invalid."""
        is_valid = form.is_valid()
        query = self._query(request)
        columns = list_choices.columns_of(self, request)
        context: dict[str, Any] = {
            "form": form,
            "list": None,
            "tools": self.tools(request),
            "form_tools": self.form_tools(request),
            "query": query.without(),
            "applied": [(one, query.without(one.name)) for one in form.applied()],
            "bare": query.only(SORT),
            **list_choices.context(self, request, columns),
        }
        if is_valid:
            context |= self._found(request, form, columns)
        title = self.opts.verbose_name_plural
        return self.page(request, "list.html", capfirst(str(title)), **context)

    def _found(
        self, request: HttpRequest, form: ListForm, columns: tuple[Column, ...]
    ) -> dict[str, Any]:
        page, behind = replica.read(lambda: self._found_page(request, form))
        names = {order: name for name, (_label, order) in self.sorts().items()}
        several = len(form.chosen()) > 1
        table = Table((SERVICE, *columns) if several else columns, self._order(form), names)
        return {
            "list": page,
            "rows": list(table.rows(page.rows, self.url_of("change"))),
            "heads": table.heads(self._query(request).without(SORT)),
            "caption": self._caption(form),
            "shown_count": shown_number(page.count),
            "where": form.where(),
            "empty_text": self._nothing(form, page),
            "note": self.note(form),
            "behind": as_of(behind),
        }

    def _found_page(self, request: HttpRequest, form: ListForm) -> Page:
        order = form.ordered(self._order(form))
        cursor = Cursor.read(self.model, order, request.GET)
        rows = self.to_page(form.narrow(self.all_rows()), form)
        page = page_of(self._ordered(rows, form.chosen(), order), cursor, form.condition())
        self.complete(request, page.rows)
        return page

    def selected(self, request: HttpRequest, size: int) -> Iterator[Rows]:
        """All rows of the list with this query, for an export: one service after the other, as
        querysets that each look at `size` rows. There are none where the form is invalid.
        """
        form = self._form(request)
        if not form.is_valid():
            return
        condition, rows = form.condition(), form.narrow(self.all_rows())
        for service in form.chosen():
            own = Ordered(
                rows.filter(service=service),
                form.ordered(self._order(form)),
                services=(service,),
            )
            yield from all_of(own, condition, size)

    def refused_export(self, request: HttpRequest) -> HttpResponse | None:
        """The list with the errors of its filters, where nothing can be exported; else None.

        PermissionDenied: the operator may not view the list.
        """
        form = self._form(request)
        if form.is_valid():
            return None
        refused = self._listed(request, form)
        refused.status_code = 400
        return refused

    def to_list(self, rows: Rows) -> Rows:
        """With the related rows that the columns show, and without the large columns."""
        return rows.select_related(*self.related).defer(*self.large)

    def to_export(self, turns: Iterable[Rows]) -> Iterator[Any]:
        """The rows of all turns, with what the exported fields of the columns read."""
        return chain.from_iterable(map(self.to_list, turns))

    def to_page(self, rows: Rows, form: Any) -> Rows:
        """The rows that a page shows of those that an export has; here all."""
        return rows

    def complete(self, request: HttpRequest, rows: list[Any]) -> None:
        """Add to the rows of a page what its columns show besides; here nothing."""

    def note(self, form: Any) -> Any:
        """A sentence about the rows of a page; here none."""
        return ""

    def sorts(self) -> dict[str, tuple[Any, Order]]:
        """The orders that an index has: the parameter's value, the label and the columns of each.
        That of the order without a parameter is "".
        """
        both = {
            name: order
            for column in self.columns
            if column.sort
            for name, order in (
                (column.key, (column.rising, column.sort)),
                (f"-{column.key}", (column.falling, turned(column.sort))),
            )
        }
        named = [("" if order[1] == self.order else name, order) for name, order in both.items()]
        return dict(sorted(named, key=lambda one: one[0] != ""))

    def _order(self, form: ListForm) -> Order:
        given = form.cleaned_data.get(SORT) or ""
        return self.sorts().get(given, ("", self.order))[1]

    def _ordered(self, rows: Rows, services: list[int], order: Order | None = None) -> Ordered:
        order = order or self.order
        if self.is_merged and len(services) > 1:
            return Merged(rows, order, self.to_list, tuple(services))
        own = rows.filter(service__in=services)
        return Ordered(own, order, self.to_list, tuple(services))

    def tools(self, request: HttpRequest) -> list[tuple[Any, str]]:
        """The links above the list: a label and a URL for each."""
        return []

    def form_tools(self, request: HttpRequest) -> list[tuple[Any, str]]:
        """The buttons that send the filters to another page, also those that were typed and not
        yet applied: a label and a URL for each. Here the exports.
        """
        exports = self.exports if self.file_name else ()
        return [(label, self.url(name)) for label, name in exports]

    def _form(self, request: HttpRequest) -> ListForm:
        if not self.has_view_permission(request):
            raise PermissionDenied
        services = limited(Service.objects.order_by("name", "pk"), request, "organization")
        sorts = [(name, label) for name, (label, _order) in self.sorts().items()]
        return self.list_form(params(request), services=services, sorts=sorts)

    def _query(self, request: HttpRequest) -> ListQuery:
        return ListQuery(params(request), self.texts)

    def all_rows(self) -> Rows:
        """All rows, without any limit: a list is limited by the services of its form, which are
        those that the operator sees. Their table in the query would be read first (see `keyset`).
        """
        rows: Rows = self.model._default_manager.all()
        return rows

    def _caption(self, form: ListForm) -> str:
        order = dict(getattr(form.fields.get(SORT), "choices", ()))
        said = order.get(form.cleaned_data.get(SORT) or "", "")
        names = capfirst(str(self.opts.verbose_name_plural))
        return f"{names}, {said}" if said else names

    def _nothing(self, form: ListForm, page: Page) -> Any:
        if page.is_windowed and page.next:
            return _("No match among the rows that were searched so far.")
        if any(form.applied()):
            return _("No matching %(rows)s.") % {"rows": self.opts.verbose_name_plural}
        return self.empty_text
