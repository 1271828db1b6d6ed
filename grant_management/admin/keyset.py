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

from ..models import bounded_count

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
    """The page at a cursor: 2 queries, and a third where there is a window."""
    ordered = _beyond(rows, order, cursor).order_by(*_directions(order, cursor.backwards))
    counted, last = rows.order_by(*order), None
    if condition is not None:
        last = ordered[WINDOW - 1 : WINDOW].first()
        counted = ordered = _until(ordered, order, cursor, last).filter(condition)
    found = list(ordered[: SIZE + 1])
    beside = _beside(found, order, cursor)
    if last is not None and len(found) <= SIZE:  # there may be more behind the window
        beside["previous" if cursor.backwards else "next"] = _written(last, order)
    shown = found[:SIZE][::-1] if cursor.backwards else found[:SIZE]
    count = bounded_count(counted)
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


def _beyond(rows: Rows, order: tuple[str, ...], cursor: Cursor) -> Rows:
    """The rows behind the cursor, as two bounds: an index can start at the first of them."""
    if not cursor.values:
        return rows
    return rows.filter(_bound(order, cursor.values, cursor.backwards, ""))


def _until(rows: Rows, order: tuple[str, ...], cursor: Cursor, last: Any) -> Rows:
    """Those up to this row, and with it."""
    if last is None:
        return rows
    values = [getattr(last, name.lstrip("-")) for name in order]
    return rows.filter(_bound(order, values, not cursor.backwards, "e"))


def _bound(order: tuple[str, ...], values: list[Any], backwards: bool, or_equal: str) -> Q:
    """On one side of the row with these values."""
    than = "lt" if order[0].startswith("-") != backwards else "gt"
    names = [name.lstrip("-") for name in order]
    if len(names) == 1:
        return Q(**{f"{names[0]}__{than}{or_equal}": values[0]})
    strictly = Q(**{f"{names[0]}__{than}": values[0]})
    equal = Q(**{names[0]: values[0], f"{names[1]}__{than}{or_equal}": values[1]})
    return Q(**{f"{names[0]}__{than}e": values[0]}) & (strictly | equal)


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
