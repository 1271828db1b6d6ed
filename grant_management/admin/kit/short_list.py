"""Django's own list, for models with few rows, with what the large lists have: columns to choose,
filters that are removed one by one, saved views and exports.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, TypeVar

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from ...db.keyset import Ordered, Rows, all_of
from . import list_choices, list_export
from .list_form import Applied
from .list_table import Column, Fields
from .newest_first import NewestFirst
from .read_only import ReadOnlyAdmin, named

M = TypeVar("M", bound=models.Model)


class ShortListAdmin(ReadOnlyAdmin[M]):
    """An admin whose list is Django's, with the columns that the operator chose of its
    `list_display`. The first one is the link to a row's page, and always shown.

    It has no search box: the one of every page finds rows by what is typed.
    """

    in_one_order: bool = False
    """Whether the table grows, so that only the order of the primary key is fast."""
    optional: frozenset[str] = frozenset()
    """The columns that are hidden until the operator chooses them."""
    exported: Mapping[str, Fields] = {}
    """What an export has for each column, by the name of the column in `list_display`."""
    exports: tuple[tuple[Any, str], ...] = ((_("Export CSV"), "export_csv"),)
    """The label of each export, and the end of its URL's name."""
    file_name: str = ""
    """How the names of exported files begin; "": the list has no export."""
    ready_views: tuple[tuple[Any, str], ...] = ()
    texts: frozenset[str] = frozenset()
    """The filters that take any text: none."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that the list can have."""
        names = [str(name) for name in self.list_display]
        return tuple(
            Column(
                capfirst(str(label_for_field(name, self.model, self))),
                lambda row: row,
                leads=name == names[0],
                key=name,
                is_default=name not in self.optional,
                exported=self.exported.get(name, {}),
            )
            for name in names
        )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Django's list; by the primary key, where it is `in_one_order`."""
        return NewestFirst if self.in_one_order else super().get_changelist(request, **kwargs)

    def get_sortable_by(self, request: HttpRequest) -> Any:
        """The columns whose heads sort the list."""
        return () if self.in_one_order else super().get_sortable_by(request)

    def get_queryset(self, request: HttpRequest) -> "models.QuerySet[M]":
        """The rows of the operator's organizations; of services, with these named."""
        return named(super().get_queryset(request), request)

    def query_names(self) -> set[str]:
        """The parameters that a saved view keeps: the filters. The order is none of them, for
        Django counts the columns that are shown.
        """
        own = [one for one in self.list_filter if isinstance(one, type)]
        simple = {str(one.parameter_name) for one in own if issubclass(one, SimpleListFilter)}
        return simple | self.filter_lookups

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """Whether it is one of the list's own filters; Django answers 400 to all others."""
        return lookup in self.query_names()

    def get_urls(self) -> list[URLPattern]:
        """The URLs of the list and of a row, and those of what an operator keeps of the list."""
        return [*list_choices.urls(self), *list_export.urls(self), *super().get_urls()]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The columns that this operator sees."""
        shown = {column.key for column in list_choices.columns_of(self, request)}
        every = zip(self.list_display, super().get_list_display(request), strict=True)
        return [column for name, column in every if name in shown]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Django's list, with the filters in use above it, and the columns and the saved views
        below it.
        """
        context = {
            "query": list_choices.address(self, request.GET),
            "tools": self.tools(request),
            **self._exports(request),
            **list_choices.context(self, request, list_choices.columns_of(self, request)),
        }
        response = super().changelist_view(request, context | (extra_context or {}))
        if isinstance(response, TemplateResponse) and response.context_data:
            shown: ChangeList | None = response.context_data.get("cl")
            response.context_data |= {} if shown is None else _applied(shown)
        return response

    def _exports(self, request: HttpRequest) -> dict[str, Any]:
        """The exports of all pages of this list, for the template: `exports` are labels and URLs,
        `exported` the names and values of the query.
        """
        query = request.GET.copy()
        query.pop("p", None)
        exports = self.exports if self.file_name else ()
        return {
            "exports": [(label, self.url(name)) for label, name in exports],
            "exported": [(name, one) for name, values in query.lists() for one in values],
        }

    def refused_export(self, request: HttpRequest) -> HttpResponse | None:
        """None: a query that the list cannot have is an error of its own (see `selected`).

        PermissionDenied: the operator may not view the list.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        return None

    def selected(self, request: HttpRequest, size: int) -> Iterator[Rows]:
        """All rows of the list with this query, in its order, as querysets of `size` rows.

        BadRequest: the query has what is no filter of the list.
        """
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            raise BadRequest from None
        if self.in_one_order:
            return all_of(Ordered(rows, tuple(map(str, self.ordering or ()))), None, size)
        # The keys of few rows: their order may be one that no cursor has.
        keys = list(rows.values_list("pk", flat=True))
        turns = (keys[at : at + size] for at in range(0, len(keys), size))
        return (rows.filter(pk__in=turn) for turn in turns)

    def to_export(self, turns: Iterable[Rows]) -> Iterator[Any]:
        """The rows of all turns, with what the exported fields of the columns read."""
        related = self.list_select_related
        if isinstance(related, list | tuple):
            turns = (turn.select_related(*related) for turn in turns)
        return chain.from_iterable(turns)


def _applied(shown: ChangeList) -> dict[str, Any]:
    """The filters that are in use, each with the query string without it, for the template."""
    applied = []
    for one in shown.filter_specs:
        first, *others = one.choices(shown)
        chosen = [choice for choice in others if choice["selected"]]
        if chosen and not first["selected"]:
            value = str(chosen[0]["display"])
            name = str(one.expected_parameters()[0])
            rest = str(first["query_string"]).removeprefix("?")
            applied.append((Applied(name, capfirst(str(one.title)), value), rest))
    names = [str(name) for one in shown.filter_specs for name in one.expected_parameters()]
    return {"applied": applied, "bare": shown.get_query_string(remove=names).removeprefix("?")}
