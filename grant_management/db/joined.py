"""Rows of several models by one statement, for the hot path.

The ORM compiles a query every time, which costs more than running it, and joins only along foreign
keys. Here the joins are SQL that is written once; the columns come from the models, and the results
are the model instances that the ORM would make.
"""

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from functools import lru_cache, partial
from typing import Any

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.base import ModelState
from django.db.models.signals import post_init, pre_init

from ..observation import timing_locks
from . import clock
from .statement import Statement
from .values import Row, Value

Values = dict[str, Any]
Read = Callable[[Row], Values]
Make = Callable[[Row], Any]
Fetch = Callable[[BaseDatabaseWrapper, list[Value]], Row | None]

REMEMBERED = 1_024
"""Converted rows that are cached for each part that `repeats`, at most."""


class Part:
    """One model of a joined row, and its table's alias in the SQL.

    `without` names deferred columns, which are loaded only when they are read. `repeats` marks a
    model of which the same row comes back in many results: its converted values are cached under
    the values that the driver returned, so a row that has changed is converted again.
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
        """The SQL of the columns to select, in the order of `fields`.

        On SQLite they are expressions (`+column`): for a plain column the driver looks up the
        converter of its declared type at every execution, which costs more than reading it.
        """
        sign = "+" if connection.vendor == "sqlite" else ""
        quote = connection.ops.quote_name
        return [f"{sign}{self.alias}.{quote(str(one.column))}" for one in self.fields]

    def maker(self, connection: BaseDatabaseWrapper) -> Make:
        """A function that makes the instance of this part's values; None if a join found no row."""
        read = _reader(self, connection)
        if self.repeats:
            read = lru_cache(REMEMBERED)(read)
        model, using, key = self.model, connection.alias, self.fields.index(_key(self.model))

        def make(row: Row) -> Any:
            if row[key] is None:
                return None
            values = read(row)
            if pre_init.receivers or post_init.receivers:  # Django's own way sends them
                return model.from_db(using, list(values), list(values.values()))
            instance = model.__new__(model)
            instance.__dict__ = values.copy()  # the cached values stay as they are
            instance._state = state = ModelState()
            state.adding, state.db = False, using
            return instance

        return make


class JoinedQuery:
    """A `SELECT` of the columns of its parts; `tables` is the SQL from FROM on, with conditions.

    The database's time is selected too. `lock` is PostgreSQL's locking clause; on SQLite the
    transaction locks the whole database.
    """

    def __init__(self, tables: str, *parts: Part, lock: str = "") -> None:
        self._tables, self._parts, self._lock = tables, parts, lock
        self._plans: dict[str, tuple[Fetch, list[tuple[slice, Make]], bool]] = {}

    def get(self, using: str, values: list[Value]) -> tuple[list[Any], datetime] | None:
        """The first row, as an instance for each part, and the database's time. 1 query.

        None: there is no row. An instance is None if its outer join found nothing. `using` is the
        alias of the database.
        """
        connection = connections[using]
        plan = self._plans.get(using)
        if plan is None:
            plan = self._plans[using] = self._compile(connection)
        fetch, makers, tells_time = plan
        row = fetch(connection, values)
        if row is None:
            return None
        now = row[-1] if tells_time else datetime.now(UTC)
        return [make(row[where]) for where, make in makers], now

    def _compile(
        self, connection: BaseDatabaseWrapper
    ) -> tuple[Fetch, list[tuple[slice, Make]], bool]:
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
        fetch = Statement(f"SELECT {selected} {self._tables} {lock}").fetch
        return timing_locks(fetch) if self._lock else fetch, makers, bool(time)


def _key(model: type[models.Model]) -> "models.Field[Any, Any]":
    return model._meta.pk


def _reader(part: Part, connection: BaseDatabaseWrapper) -> Read:
    """A function from a row of the driver to Python values by attribute name."""
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
    """The ORM's own converters; for SQLite's times a faster one, as the ORM's two are slow."""
    if connection.vendor == "sqlite" and isinstance(field, models.DateTimeField):
        return [partial(_parse_time, zone=connection.timezone)]
    column = field.get_col(part.alias)
    functions = connection.ops.get_db_converters(column) + column.get_db_converters(connection)
    return [partial(_converted, function, column, connection) for function in functions]


def _parse_time(text: str, zone: tzinfo | None) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def _converted(function: Any, column: Any, connection: Any, value: Any) -> Any:
    return function(value, column, connection)
