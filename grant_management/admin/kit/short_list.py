"""Django's own list, for models with few rows. Its operator chooses columns and saves views."""

from collections.abc import Mapping
from typing import Any, TypeVar

from django.contrib.admin.utils import label_for_field
from django.contrib.admin.views.main import ChangeList
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.text import capfirst

from . import list_choices
from .list_table import Column, Fields
from .newest_first import NewestFirst
from .read_only import ReadOnlyAdmin

M = TypeVar("M", bound=models.Model)


class ShortListAdmin(ReadOnlyAdmin[M]):
    """An admin whose list is Django's, with the columns that the operator chose of its
    `list_display`. The first one is the link to a row's page, and always shown.
    """

    in_one_order: bool = False
    """Whether the table grows, so that only the order of the primary key is fast."""
    optional: frozenset[str] = frozenset()
    """The columns that are hidden until the operator chooses them."""
    exported: Mapping[str, Fields] = {}
    """What an export has for each column, by the name of the column in `list_display`."""
    texts: frozenset[str] = frozenset()
    """No filter takes any text: the search box of every page finds rows by what is typed."""

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

    def query_names(self) -> set[str]:
        """The parameters that a saved view keeps: the filters. The order is none of them, for
        Django counts the columns that are shown.
        """
        return set(self.filter_lookups)

    def get_urls(self) -> list[URLPattern]:
        """The URLs of the list and of a row, and those of what an operator keeps of the list."""
        return [*list_choices.urls(self), *super().get_urls()]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """The columns that this operator sees."""
        shown = {column.key for column in list_choices.columns_of(self, request)}
        every = zip(self.list_display, super().get_list_display(request), strict=True)
        return [column for name, column in every if name in shown]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Django's list, with the columns and the saved views below it."""
        kept = list_choices.address(self, request.GET)
        columns = list_choices.columns_of(self, request)
        context = {"query": kept, **list_choices.context(self, request, columns)}
        return super().changelist_view(request, context | (extra_context or {}))
