"""Pages by key: the next page costs the same at any depth.

Rows are first narrowed by what an index finds. What no index finds (a status, a type inside JSON)
is a condition: it is looked for among the next `WINDOW` rows, and the page says so.

An index begins with the service. Of several services, a page is merged from what the index of each
has next, since no index has them in one order.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.db import models
from django.db.models import F, OrderBy, OuterRef, Q, Subquery

from ..protocol import strict_json
from . import counting
from .counting import bounded_count

WINDOW: Final = 10_000
"""Rows that are looked at for a page with conditions."""
LEAST: Final = 100
"""Rows of each service that are looked at for it, however many services there are."""
SIZE: Final = 50
"""Rows of a page."""
LONGEST: Final = 4_000
"""Characters of a cursor."""
COUNTED: Final = 50
"""Services whose rows are counted in one statement."""

Rows = models.QuerySet[Any]
Order = tuple[str, ...]


@dataclass(frozen=True)
class Cursor:
    """Where a page starts: behind the row with these values, or before it."""

    values: list[Any] = field(default_factory=list)
    backwards: bool = False

    @classmethod
    def read(cls, model: type[models.Model], order: Order, params: Any) -> "Cursor":
        """From `after` or `before` of a query string; what cannot be read is the first page."""
        for name, backwards in (("after", False), ("before", True)):
            if name in params:
                try:
                    return cls(parsed(model, order, params[name]), backwards)
                except ValueError:
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


@dataclass(frozen=True)
class Ordered:
    """Rows in the order of one index: those of one service, or of all by their primary key."""

    rows: Rows
    order: Order

    def beyond(self, values: list[Any]) -> "Ordered":
        """Those behind the row with these values."""
        return self._where(_bound(self.order, values, "")) if values else self

    def until(self, values: list[Any] | None) -> "Ordered":
        """Those up to the row with these values, and with it; None: all."""
        behind = _directions(self.order, backwards=True)
        return self if values is None else self._where(_bound(behind, values, "e"))

    def those(self, condition: Q | None) -> "Ordered":
        """Those that the condition holds of."""
        return self if condition is None else self._where(condition)

    def backwards(self) -> "Ordered":
        """The last of them first."""
        return replace(self, order=_directions(self.order, backwards=True))

    def first(self, number: int) -> list[Any]:
        """So many of them."""
        return list(self.rows.order_by(*self.order)[:number])

    def window(self, number: int) -> list[Any] | None:
        """The values where that many rows end; None: there are not so many."""
        rows = self.rows.order_by(*self.order).values_list(*_names(self.order))
        end = rows[number - 1 : number].first()
        return None if end is None else list(end)

    def count(self) -> int:
        """Exact up to the limit; one more than that means: more."""
        return bounded_count(self.rows.order_by(*self.order))

    def _where(self, condition: Q) -> "Ordered":
        return replace(self, rows=self.rows.filter(condition))


@dataclass(frozen=True)
class Merged(Ordered):
    """Rows of several services, each of which has an index that leads to its own in this order.

    The database compares them, never Python: it has its own order of texts.
    """

    services: tuple[int, ...]

    def first(self, number: int) -> list[Any]:
        """From those services whose first row comes early enough: no more than so many."""
        found: list[Any] = []
        for service in self._by_row(0)[:number]:
            if service.row_0 is None:
                break
            own = self.rows.filter(service=service.pk).order_by(*self.order)
            found += own.values_list("pk", flat=True)[:number]
        return list(self.rows.filter(pk__in=found).order_by(*self.order)[:number])

    def window(self, number: int) -> list[Any] | None:
        """The nearest of the places where the share of a service ends."""
        share = max(number // len(self.services), LEAST)
        nearest = self._by_row(share - 1)[0]
        values = [getattr(nearest, f"row_{n}") for n in range(len(self.order))]
        return None if values[0] is None else values

    def count(self) -> int:
        """A bounded count of each service, until there are more than the limit."""
        most, found = counting.COUNT_LIMIT + 1, 0
        for at in range(0, len(self.services), COUNTED):
            services = self._services().filter(pk__in=self.services[at : at + COUNTED])
            counted = services.annotate(rows=_Count(self._own().values("pk")[:most]))
            found += sum(counted.values_list("rows", flat=True))
            if found >= most:
                return most
        return found

    def _by_row(self, place: int) -> "models.QuerySet[Any]":
        """The services by the values of their row at this place, as `row_0` and so on; those that
        have no such row come last.
        """
        own = self._own()
        values = {
            f"row_{n}": Subquery(own.values(name)[place : place + 1])
            for n, name in enumerate(_names(self.order))
        }
        order = [
            OrderBy(F(f"row_{n}"), descending=name.startswith("-"), nulls_last=True)
            for n, name in enumerate(self.order)
        ]
        services: Rows = self._services().filter(pk__in=self.services).annotate(**values)
        return services.order_by(*order).only("pk")

    def _services(self) -> Rows:
        """Those of the rows' model: this stands below the models."""
        services: Any = self.rows.model._meta.get_field("service").related_model
        found: Rows = services.objects.all()
        return found

    def _own(self) -> Rows:
        return self.rows.filter(service=OuterRef("pk")).order_by(*self.order)


class _Count(Subquery):
    """How many rows a subquery has."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = models.IntegerField()


def page_of(rows: Ordered, cursor: Cursor, condition: Q | None) -> Page:
    """The page at a cursor: 2 queries of one service, and a third where there is a window."""
    ahead = rows.backwards() if cursor.backwards else rows
    ahead = ahead.beyond(cursor.values)
    counted, end = rows, None
    if condition is not None:
        end = ahead.window(WINDOW)
        counted = ahead = ahead.until(end).those(condition)
    found = ahead.first(SIZE + 1)
    beside = _beside(found, rows.order, cursor)
    if end is not None and len(found) <= SIZE:  # there may be more behind the window
        beside["previous" if cursor.backwards else "next"] = written(end)
    shown = found[:SIZE][::-1] if cursor.backwards else found[:SIZE]
    return Page(rows=shown, count=counted.count(), is_windowed=condition is not None, **beside)


def all_of(rows: Ordered, condition: Q | None, size: int) -> Iterator[Rows]:
    """All rows of one service in turns, each of which looks at so many: no turn holds the database
    for long, and none needs a cursor that is open in between.
    """
    values: list[Any] = []
    while True:
        ahead = rows.beyond(values)
        end = ahead.window(size)
        yield ahead.until(end).those(condition).rows.order_by(*rows.order)
        if end is None:
            return
        values = end


def _beside(found: list[Any], order: Order, cursor: Cursor) -> dict[str, str]:
    """The cursors of the pages before and after."""
    if not found:
        return {"next": "", "previous": ""}
    more = len(found) > SIZE
    first, last = (_values(row, order) for row in (found[0], found[:SIZE][-1]))
    if cursor.backwards:
        return {"next": written(first), "previous": written(last) if more else ""}
    previous = written(first) if cursor.values else ""
    return {"next": written(last) if more else "", "previous": previous}


def _bound(order: Order, values: list[Any], or_equal: str) -> Q:
    """Behind the row with these values, as two bounds: an index can start at the first of them."""
    than = "lt" if order[0].startswith("-") else "gt"
    names = _names(order)
    if len(names) == 1:
        return Q(**{f"{names[0]}__{than}{or_equal}": values[0]})
    strictly = Q(**{f"{names[0]}__{than}": values[0]})
    equal = Q(**{names[0]: values[0], f"{names[1]}__{than}{or_equal}": values[1]})
    return Q(**{f"{names[0]}__{than}e": values[0]}) & (strictly | equal)


def _names(order: Order) -> list[str]:
    return [name.lstrip("-") for name in order]


def _directions(order: Order, *, backwards: bool) -> Order:
    if not backwards:
        return order
    return tuple(name[1:] if name.startswith("-") else f"-{name}" for name in order)


def _values(row: Any, order: Order) -> list[Any]:
    return [getattr(row, name) for name in _names(order)]


def written(values: list[Any]) -> str:
    """A cursor's text."""
    return json.dumps(
        [one.isoformat() if isinstance(one, datetime) else str(one) for one in values]
    )


def parsed(model: type[models.Model], order: Order, text: Any) -> list[Any]:
    """The values of a cursor's text. ValueError: it is none of this order."""
    if not isinstance(text, str) or len(text) > LONGEST:
        raise ValueError("no text of a cursor")
    values = strict_json.loads(text)
    if not isinstance(values, list) or len(values) != len(order):
        raise ValueError("not a cursor of this list")
    if not all(isinstance(value, str) for value in values):
        raise ValueError("a cursor holds strings")
    columns = [_column(model, name) for name in _names(order)]
    return [_read(column, value) for column, value in zip(columns, values, strict=True)]


def _column(model: type[models.Model], name: str) -> Any:
    return model._meta.pk if name == "pk" else model._meta.get_field(name)


def _read(column: Any, value: str) -> Any:
    """A value that the column can be compared with, on every database. ValueError: there is none.

    Times come as they were written here: with an offset, and in reach of every zone.
    """
    if isinstance(column, models.UUIDField):
        return UUID(value)
    if isinstance(column, models.DateTimeField):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None or not 1 < moment.year < 9999:
            raise ValueError("not a time that a cursor has")
        return moment.astimezone(UTC)
    if isinstance(column, models.IntegerField):
        return _number(value)
    return value


def _number(value: str) -> int:
    number = int(value)
    if abs(number) >= 2**63:
        raise ValueError("not a number of a row")
    return number
