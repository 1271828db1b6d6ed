"""Keyset pagination: the next page costs the same at any depth.

Rows are first narrowed to those that an index finds. A condition that no index answers (a status, a
type inside JSON) is tested on the next `WINDOW` rows only, and the page says so.

Every index begins with the service. A page of several services is merged from the next rows of each
service, since no index has the rows of several services in one order.

The keys of a page are found first, by the index alone; then its rows are read by these keys. In one
statement with other tables SQLite begins with the smallest table, and reads all rows of a service.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.db import connections, models
from django.db.models import Count, F, Func, Lookup, OrderBy, OuterRef, Q, Subquery, Value, Window
from django.db.models.lookups import GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual

from ..protocol import strict_json
from . import counting
from .counting import bounded_count
from .of_service import at_services

WINDOW: Final = 10_000
"""Rows that are searched for a page with a condition."""
LEAST: Final = 100
"""Rows of each service that are searched, at least, where several services share the window."""
SIZE: Final = 50
"""Rows of a page."""
LONGEST: Final = 4_000
"""Characters of a cursor's text, at most."""
COUNTED: Final = 50
"""Services whose rows are counted in one statement."""

Rows = models.QuerySet[Any]
Order = tuple[str, ...]
Lookups = tuple[type[Lookup], type[Lookup]]
BEYOND: Final[Lookups] = LessThan, GreaterThan
UNTIL: Final[Lookups] = LessThanOrEqual, GreaterThanOrEqual
"""For the rows after a row, and up to it: of a falling order and of a rising one."""


@dataclass(frozen=True)
class Cursor:
    """Where a page starts: after the row with these values, or `backwards` before it.

    No values: at the first page.
    """

    values: list[Any] = field(default_factory=list)
    backwards: bool = False

    @classmethod
    def read(cls, model: type[models.Model], order: Order, params: Any) -> "Cursor":
        """The cursor in `after` or `before` of a query string; if unreadable, the first page."""
        for name, backwards in (("after", False), ("before", True)):
            if name in params:
                try:
                    return cls(parsed(model, order, params[name]), backwards)
                except ValueError:
                    return cls()
        return cls()


@dataclass(frozen=True)
class Page:
    """A page's rows, the bounded count of all rows, and the cursors of its neighbours ("": none).

    `is_windowed`: a condition was tested on a window of the rows, and only that was counted.
    """

    rows: list[Any]
    count: int
    next: str
    previous: str
    is_windowed: bool


@dataclass(frozen=True)
class Ordered:
    """Rows in the order of one index: those of one service, or all rows by their primary key.

    `shape` adds to a query of rows what a page shows of them: related rows, annotations. None:
    `rows` are read as they are.
    `services` are the numbers of the services whose rows these are.
    """

    rows: Rows
    order: Order
    shape: Callable[[Rows], Rows] | None = None
    services: tuple[int, ...] = ()

    def beyond(self, values: list[Any]) -> "Ordered":
        """The rows after the row with these values; no values: all rows."""
        return self._where(_bound(self.rows.model, self.order, values, BEYOND)) if values else self

    def until(self, values: list[Any] | None) -> "Ordered":
        """The rows up to and including the row with these values; None: all rows."""
        behind = _directions(self.order, backwards=True)
        if values is None:
            return self
        return self._where(_bound(self.rows.model, behind, values, UNTIL))

    def those(self, condition: Q | None) -> "Ordered":
        """The rows that meet the condition; None: all rows.

        The condition may be about other tables, or about what has an index of its own. SQLite is
        given the keys to test it on, or it would begin with those; PostgreSQL chooses better by
        itself.
        """
        if condition is None:
            return self
        if connections[self.rows.db].vendor != "sqlite":
            return self._where(condition)
        found = self.rows.order_by().values("pk")
        rows = self.rows.model._default_manager.filter(condition, pk__in=found)
        return replace(self, rows=rows)

    def backwards(self) -> "Ordered":
        """The rows in reverse order."""
        return replace(self, order=_directions(self.order, backwards=True))

    def first(self, number: int) -> list[Any]:
        """The first rows, at most this many."""
        if self.shape is None:
            return list(self.rows.order_by(*self.order)[:number])
        return self.read(self.keys()[:number])

    def keys(self) -> Rows:
        """The keys of the rows, in order."""
        return self._of_services().order_by(*self.order).values_list("pk", flat=True)

    def counted_keys(self, number: int) -> tuple[list[Any], int]:
        """The first keys, at most this many, and the number of all rows. 1 query, which reads the
        rows once: a window of them may meet a condition that is slow to test.
        """
        keyed = self._of_services().order_by(*self.order).annotate(_all=Window(Count("*")))
        found = list(keyed.values_list("pk", "_all")[:number])
        return [key for key, _all in found], found[0][1] if found else 0

    def read(self, keys: Any) -> list[Any]:
        """The rows with these keys, in order."""
        return list(self.by_key(keys)) if (keys := list(keys)) else []

    def by_key(self, keys: list[Any]) -> Rows:
        """The query of the rows with these keys, in order: it names the keys and the services."""
        rows: Rows = self.rows.model._default_manager.filter(pk__in=keys).order_by(*self.order)
        if self.services:
            rows = rows.filter(at_services(self.services))
        return rows if self.shape is None else self.shape(rows)

    def window(self, number: int) -> list[Any] | None:
        """The values of the row with this number; None: there are fewer rows."""
        rows = self.rows.order_by(*self.order).values_list(*_names(self.order))
        end = rows[number - 1 : number].first()
        return None if end is None else list(end)

    def count(self) -> int:
        """The number of rows, exact up to `COUNT_LIMIT`; one more than that means more."""
        return bounded_count(self.rows.order_by(*self.order).values("pk"))

    def _of_services(self) -> Rows:
        return self.rows

    def _where(self, condition: Q) -> "Ordered":
        return replace(self, rows=self.rows.filter(condition))


@dataclass(frozen=True)
class Merged(Ordered):
    """Rows of several services: each service's rows are found in this order by an index. `rows` may
    be those of all services.

    The database compares rows, never Python: its order of texts may differ from Python's.
    """

    def first(self, number: int) -> list[Any]:
        """The first rows of all services together, at most this many.

        Only this many services, those with the earliest first rows, can have rows among them.
        """
        found: list[Any] = []
        for service in self._by_row(0)[:number]:
            if service.row_0 is None:
                break
            own = self.rows.filter(service=service.pk).order_by(*self.order)
            found += own.values_list("pk", flat=True)[:number]
        return list(self.by_key(found)[:number])

    def window(self, number: int) -> list[Any] | None:
        """The values of the row where the first service reaches the end of its share of the window.

        None: no service has as many rows as its share.
        """
        share = max(number // len(self.services), LEAST)
        nearest = self._by_row(share - 1)[0]
        values = [getattr(nearest, f"row_{n}") for n in range(len(self.order))]
        return None if values[0] is None else values

    def count(self) -> int:
        """The sum of the services' bounded counts; counting stops beyond `COUNT_LIMIT`."""
        most, found = counting.COUNT_LIMIT + 1, 0
        for at in range(0, len(self.services), COUNTED):
            services = self._services().filter(pk__in=self.services[at : at + COUNTED])
            counted = services.annotate(rows=_Count(self._own().values("pk")[:most]))
            found += sum(counted.values_list("rows", flat=True))
            if found >= most:
                return most
        return found

    def _by_row(self, place: int) -> "models.QuerySet[Any]":
        """The services, ordered by the values of their row at this place (from 0).

        The values are annotated as `row_0` and so on. Services without such a row come last.
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

    def _of_services(self) -> Rows:
        return self.rows.filter(at_services(self.services))

    def _services(self) -> Rows:
        """All services, found through the rows' model: this module must not import the models."""
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
    """The page at a cursor. For one service 3 queries."""
    ahead = rows.backwards() if cursor.backwards else rows
    ahead = ahead.beyond(cursor.values)
    # One row more, to know whether another page follows.
    if condition is None:
        end, found, count = None, ahead.first(SIZE + 1), rows.count()
    else:
        end = ahead.window(WINDOW)
        keys, count = ahead.until(end).those(condition).counted_keys(SIZE + 1)
        found = ahead.read(keys)
    beside = _beside(found, rows.order, cursor)
    if end is not None and len(found) <= SIZE:  # there may be more beyond the window
        beside["previous" if cursor.backwards else "next"] = written(end)
    shown = found[:SIZE][::-1] if cursor.backwards else found[:SIZE]
    return Page(rows=shown, count=count, is_windowed=condition is not None, **beside)


def all_of(rows: Ordered, condition: Q | None, size: int) -> Iterator[Rows]:
    """All rows of one service that meet the condition, as one query for each `size` rows.

    So no query holds the database for long, and no database cursor stays open in between.
    """
    values: list[Any] = []
    while True:
        ahead = rows.beyond(values)
        end = ahead.window(size)
        if keys := list(ahead.until(end).those(condition).keys()):
            yield rows.by_key(keys)
        if end is None:
            return
        values = end


def _beside(found: list[Any], order: Order, cursor: Cursor) -> dict[str, str]:
    """The cursors of the next and the previous page."""
    if not found:
        return {"next": "", "previous": ""}
    more = len(found) > SIZE
    first, last = (_values(row, order) for row in (found[0], found[:SIZE][-1]))
    if cursor.backwards:
        return {"next": written(first), "previous": written(last) if more else ""}
    previous = written(first) if cursor.values else ""
    return {"next": written(last) if more else "", "previous": previous}


class _Row(Func):
    """Columns, or values, as one row: `(a, b)`.

    An index in that order has the rows before or after one of them in one range. With the same
    condition written as an OR, SQLite reads several ranges and sorts what it found.
    """

    template = "(%(expressions)s)"
    output_field = models.TextField()


def _bound(model: type[models.Model], order: Order, values: list[Any], lookups: Lookups) -> Q:
    """The condition of rows after the row with these values. All columns of an order have the same
    direction.
    """
    names = _names(order)
    columns = [_column(model, name) for name in names]
    given = [Value(value, column) for value, column in zip(values, columns, strict=True)]
    falling, rising = lookups
    # A lookup is a condition by itself. Of another expression Django 6.1 writes `… = True` on
    # SQLite, which no index answers.
    beyond = falling if order[0].startswith("-") else rising
    return Q(beyond(_Row(*map(F, names)), _Row(*given)))


def _names(order: Order) -> list[str]:
    return [name.lstrip("-") for name in order]


def _directions(order: Order, *, backwards: bool) -> Order:
    if not backwards:
        return order
    return tuple(name[1:] if name.startswith("-") else f"-{name}" for name in order)


def _values(row: Any, order: Order) -> list[Any]:
    return [getattr(row, name) for name in _names(order)]


def written(values: list[Any]) -> str:
    """The text of a cursor at the row with these values, for a query string."""
    return json.dumps(
        [one.isoformat() if isinstance(one, datetime) else str(one) for one in values]
    )


def parsed(model: type[models.Model], order: Order, text: Any) -> list[Any]:
    """The values in a cursor's text. ValueError: it is not a cursor of this order."""
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
    """The value, which any database can compare with the column. ValueError: it is no such value.

    A time needs an offset, as `written` gives it, and a year that no time zone moves out of range.
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
    if abs(number) >= 2**63:  # SQLite's driver takes none beyond 64 bits
        raise ValueError("not a number of a row")
    return number
