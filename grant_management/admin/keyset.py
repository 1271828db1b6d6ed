"""Pages by key: the next page costs the same at any depth.

Rows are first narrowed by what an index finds. What no index finds (a status, a type inside JSON)
is a condition: it is looked for among the next `WINDOW` rows, and the page says so.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from ..models import COUNT_LIMIT

WINDOW: Final = 10_000
"""Rows that are looked at for a page with conditions."""
SIZE: Final = 50
"""Rows of a page."""

Rows = models.QuerySet[Any]


@dataclass(frozen=True)
class Cursor:
    """Where a page starts: behind the row with these values, or before it."""

    values: list[Any] = field(default_factory=list)
    backwards: bool = False

    @classmethod
    def read(cls, model: type[models.Model], order: tuple[str, ...], params: Any) -> "Cursor":
        """From `after` or `before` of a query string; what cannot be read is the first page."""
        for name, backwards in (("after", False), ("before", True)):
            if name in params:
                try:
                    return cls(_parsed(model, order, params[name]), backwards)
                except (ValueError, ValidationError):
                    return cls()
        return cls()


@dataclass(frozen=True)
class Page:
    """A page's rows, how many there are in all, and the cursors beside it ("": none)."""

    rows: list[Any]
    count: int
    next: str
    previous: str
    is_windowed: bool


def page_of(rows: Rows, order: tuple[str, ...], cursor: Cursor, condition: Q | None) -> Page:
    """The page at a cursor: 2 queries, and a third where a window ends it."""
    ordered = _beyond(rows, order, cursor).order_by(*_directions(order, cursor.backwards))
    counted = rows
    if condition is not None:
        window = ordered.values("pk")[:WINDOW]
        ordered = ordered.filter(condition, pk__in=window)
        counted = ordered.order_by()
    found = list(ordered[: SIZE + 1])
    beside = _beside(found, order, cursor)
    if condition is not None and len(found) <= SIZE and not cursor.backwards:
        beside["next"] = _end_of_window(rows, order, cursor)
    shown = found[:SIZE][::-1] if cursor.backwards else found[:SIZE]
    count = counted[: COUNT_LIMIT + 1].count()
    return Page(rows=shown, count=count, is_windowed=condition is not None, **beside)


def _beside(found: list[Any], order: tuple[str, ...], cursor: Cursor) -> dict[str, str]:
    """The cursors of the pages before and after."""
    if not found:
        return {"next": "", "previous": ""}
    more = len(found) > SIZE
    first, last = found[0], found[:SIZE][-1]
    if cursor.backwards:
        return {"next": _written(first, order), "previous": _written(last, order) if more else ""}
    previous = _written(first, order) if cursor.values else ""
    return {"next": _written(last, order) if more else "", "previous": previous}


def _end_of_window(rows: Rows, order: tuple[str, ...], cursor: Cursor) -> str:
    """From where to look further: the last row that was looked at, if there may be more."""
    last = _beyond(rows, order, cursor).order_by(*order)[WINDOW - 1 : WINDOW].first()
    return "" if last is None else _written(last, order)


def _beyond(rows: Rows, order: tuple[str, ...], cursor: Cursor) -> Rows:
    """The rows behind the cursor, as two bounds: an index can start at the first of them."""
    if not cursor.values:
        return rows
    descending = order[0].startswith("-") != cursor.backwards
    than = "lt" if descending else "gt"
    names = [name.lstrip("-") for name in order]
    strictly = Q(**{f"{names[0]}__{than}": cursor.values[0]})
    if len(names) == 1:
        return rows.filter(strictly)
    equal = Q(**{names[0]: cursor.values[0], f"{names[1]}__{than}": cursor.values[1]})
    return rows.filter(Q(**{f"{names[0]}__{than}e": cursor.values[0]}) & (strictly | equal))


def _directions(order: tuple[str, ...], backwards: bool) -> list[str]:
    if not backwards:
        return list(order)
    return [name[1:] if name.startswith("-") else f"-{name}" for name in order]


def _written(row: Any, order: tuple[str, ...]) -> str:
    values = [getattr(row, name.lstrip("-")) for name in order]
    return json.dumps(
        [one.isoformat() if isinstance(one, datetime) else str(one) for one in values]
    )


def _parsed(model: type[models.Model], order: tuple[str, ...], text: str) -> list[Any]:
    values = json.loads(text)
    if not isinstance(values, list) or len(values) != len(order):
        raise ValueError("not a cursor of this list")
    names = [model._meta.pk.name if name == "-pk" else name.lstrip("-") for name in order]
    columns: list[Any] = [model._meta.get_field(name) for name in names]
    if not all(isinstance(value, str) for value in values):
        raise ValueError("a cursor holds strings")
    return [column.to_python(value) for column, value in zip(columns, values, strict=True)]
