"""Rows of several models by one statement, for the hot path.

The ORM compiles a query anew whenever it is asked, which costs more than to run it, and joins
along foreign keys alone. Here the joins are SQL, written down once; the columns are those of the
models, and what comes back are the models that the ORM would make.
"""

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from functools import lru_cache, partial
from typing import Any

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.base import ModelState
from django.db.models.signals import post_init, pre_init

from . import clock
from .statement import Statement
from .values import Row, Value

Values = dict[str, Any]
Read = Callable[[Row], Values]
Make = Callable[[Row], Any]

REMEMBERED = 1_024
"""Rows of a part that `repeats`."""


class Part:
    """A model of a joined row, by its alias in the statement.

    `without` are columns that are loaded only when they are read. A part that `repeats` is the
    same row in many answers of the database: how its values are converted is remembered for each
    row as the database had it, so a row that has changed is converted anew.
    """

    def __init__(
        self,
        model: type[models.Model],
        alias: str,
        *,
        without: tuple[str, ...] = (),
        repeats: bool = False,
    ) -> None:
        self.model, self.alias, self.repeats = model, alias, repeats
        self.fields = [one for one in model._meta.concrete_fields if one.attname not in without]

    def columns(self, connection: BaseDatabaseWrapper) -> list[str]:
        """In the order of the fields.

        On SQLite as expressions: for a plain column the driver looks up how its declared type is
        to be converted, at every execution, which costs more than to read it.
        """
        sign = "+" if connection.vendor == "sqlite" else ""
        quote = connection.ops.quote_name
        return [f"{sign}{self.alias}.{quote(str(one.column))}" for one in self.fields]

    def maker(self, connection: BaseDatabaseWrapper) -> Make:
        """What makes the model of this part's values; None where an outer join found nothing."""
        read = _reader(self, connection)
        if self.repeats:
            read = lru_cache(REMEMBERED)(read)
        model, using, key = self.model, connection.alias, self.fields.index(_key(self.model))

        def make(row: Row) -> Any:
            if row[key] is None:
                return None
            values = read(row)
            if pre_init.receivers or post_init.receivers:  # somebody wants to be told
                return model.from_db(using, list(values), list(values.values()))
            instance = model.__new__(model)
            instance.__dict__ = values.copy()
            instance._state = state = ModelState()
            state.adding, state.db = False, using
            return instance

        return make


class JoinedQuery:
    """`SELECT` the columns of the parts, then what `tables` says: FROM, joins and conditions.

    Its answer brings the database's time with it. `lock` is what PostgreSQL is to lock of the row;
    SQLite's transactions lock all.
    """

    def __init__(self, tables: str, *parts: Part, lock: str = "") -> None:
        self._tables, self._parts, self._lock = tables, parts, lock
        self._plans: dict[str, tuple[Statement, list[tuple[slice, Make]], bool]] = {}

    def get(self, using: str, values: list[Value]) -> tuple[list[Any], datetime] | None:
        """The models of the first row, None for one that was not found, and the time; None: no
        row. 1 query.
        """
        connection = connections[using]
        plan = self._plans.get(using)
        if plan is None:
            plan = self._plans[using] = self._compile(connection)
        statement, makers, tells_time = plan
        row = statement.fetch(connection, values)
        if row is None:
            return None
        now = row[-1] if tells_time else datetime.now(UTC)
        return [make(row[where]) for where, make in makers], now

    def _compile(
        self, connection: BaseDatabaseWrapper
    ) -> tuple[Statement, list[tuple[slice, Make]], bool]:
        alike = connection.copy()  # never connected: this plan outlives a thread's connection
        columns: list[str] = []
        makers = []
        for part in self._parts:
            own = part.columns(alike)
            where = slice(len(columns), len(columns) + len(own))
            makers.append((where, part.maker(alike)))
            columns += own
        time = clock.column(alike.vendor)
        selected = ", ".join([*columns, *([time] if time else [])])
        lock = "" if alike.vendor == "sqlite" else self._lock
        return Statement(f"SELECT {selected} {self._tables} {lock}"), makers, bool(time)


def _key(model: type[models.Model]) -> "models.Field[Any, Any]":
    return model._meta.pk


def _reader(part: Part, connection: BaseDatabaseWrapper) -> Read:
    """What the driver gives to what Python has, by name."""
    names = [field.attname for field in part.fields]
    steps = [
        (field.attname, step) for field in part.fields for step in _steps(part, field, connection)
    ]

    def read(row: Row) -> Values:
        values = dict(zip(names, row, strict=True))
        for name, step in steps:
            if values[name] is not None:
                values[name] = step(values[name])
        return values

    return read


def _steps(
    part: Part, field: "models.Field[Any, Any]", connection: BaseDatabaseWrapper
) -> list[Callable[[Any], Any]]:
    """The ORM's own functions; but for SQLite's times, of which it has two, slow ones."""
    if connection.vendor == "sqlite" and isinstance(field, models.DateTimeField):
        return [partial(_parse_time, zone=connection.timezone)]
    column = field.get_col(part.alias)
    functions = connection.ops.get_db_converters(column) + column.get_db_converters(connection)
    return [partial(_converted, function, column, connection) for function in functions]


def _parse_time(text: str, zone: tzinfo | None) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def _converted(function: Any, column: Any, connection: Any, value: Any) -> Any:
    return function(value, column, connection)
