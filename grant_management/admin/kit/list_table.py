"""The table of a list: its columns, the heads that sort it, and its cells."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from ...db.keyset import Order
from .content import NOTED, cut
from .display import isolated, link, time_tag
from .list_form import SORT
from .markup import Around, joined
from .utc import NONE

OLDEST: Final = _("oldest first")
NEWEST: Final = _("newest first")


Fields = Mapping[str, Callable[[Any], Any]]
"""The exported fields of a column: a function of the row by name."""


@dataclass(frozen=True)
class Column:
    """A column of a list: `show` makes its text or HTML from a row.

    The column that `leads` is a link to the row's page. `key` is the name by which an operator's
    choice of columns knows it; a column without one is always shown, as is the one that leads.
    `is_default`: it is shown until an operator chooses. `sort` is the rising order of the list by
    this column, where an index has it, with the label of that order and of the falling one.
    `exported` are the fields that an export has for it.
    """

    label: Any
    show: Callable[[Any], Any]
    leads: bool = False
    key: str = ""
    is_default: bool = True
    sort: Order = ()
    rising: Any = OLDEST
    falling: Any = NEWEST
    exported: Fields = field(default_factory=dict)

    @property
    def can_be_hidden(self) -> bool:
        """Whether operators choose if it is shown."""
        return bool(self.key) and not self.leads


def fields(*names: str) -> Fields:
    """The exported fields that are attributes of a row, of the same names."""
    return {name: attrgetter(name) for name in names}


def moment(label: Any, name: str, key: str, **more: Any) -> Column:
    """The column of the time that is this attribute of a row."""
    show: Callable[[Any], str] = lambda row: time_tag(getattr(row, name))  # noqa: E731
    return Column(label, show, key=key, exported=fields(name), **more)


def text(label: Any, name: str, key: str, **more: Any) -> Column:
    """The column of the text that is this attribute of a row, as much of it as a list shows."""
    show: Callable[[Any], str] = lambda row: cut(str(getattr(row, name) or ""), NOTED)  # noqa: E731
    return Column(label, show, key=key, exported=fields(name), **more)


@dataclass(frozen=True)
class Table:
    """The columns that are shown, the order of the rows, and the names of all orders."""

    columns: tuple[Column, ...]
    order: Order
    names: dict[Order, str]

    def heads(self, query: str) -> list[dict[str, Any]]:
        """For each column its label, and where a click sorts by it, the query string and the
        direction of now (`aria-sort`).
        """
        return [self._head(column, query) for column in self.columns]

    def _head(self, column: Column, query: str) -> dict[str, Any]:
        if not column.sort:
            return {"label": column.label}
        rises, falls = (self.order == one for one in (column.sort, turned(column.sort)))
        name = self.names[turned(column.sort) if rises else column.sort]
        parts = [part for part in (query, name and f"{SORT}={name}") if part]
        direction = "ascending" if rises else "descending" if falls else "none"
        return {"label": column.label, "query": "&".join(parts), "direction": direction}

    def rows(self, rows: Iterable[Any], page_of: Callable[[Any], str]) -> Iterator[SafeString]:
        """Each row as HTML; `page_of` makes the URL of its page. (These functions take a tenth of
        the time that a template takes for a cell, and a page has some 500 cells.)
        """
        tags = [(column, _tags(column)) for column in self.columns]
        for row in rows:
            cells = (around.put(_content(column, row, page_of)) for column, around in tags)
            yield _ROW.put(joined(cells))


_ROW: Final = Around(format_html("<tr {}>", "data-row"), format_html("</{}>\n", "tr"))


def _tags(column: Column) -> Around:
    """What is around each cell of the column."""
    if column.leads:
        head = format_html('<th scope="row" data-label="{}">', column.label)
        return Around(head, format_html("</{}>", "th"))
    return Around(format_html('<td data-label="{}">', column.label), format_html("</{}>", "td"))


def _content(column: Column, row: Any, page_of: Callable[[Any], str]) -> Any:
    shown = column.show(row)
    content = NONE if shown in ("", None) else isolated(shown)
    return link(page_of(row), isolated(content)) if column.leads else content


def turned(order: Order) -> Order:
    """The order from the other end."""
    return tuple(name[1:] if name.startswith("-") else f"-{name}" for name in order)
