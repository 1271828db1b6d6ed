"""Queries of the hot path: compiled by the ORM once, and run on the cursor from then on.

Compiling is most of what a query costs in Python. What is asked is what the ORM would ask, and
what comes back are the models that it would make.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression
from django.db.models.base import ModelState
from django.db.models.signals import post_init, pre_init

from .statement import Row, Statement

M = TypeVar("M", bound=models.Model)


class Parameter(Expression):
    """A value that is not known yet, of a field's type."""

    def __init__(self, name: str, field: Any) -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """A placeholder, with itself in the place of the value."""
        return "%s", [self]


@dataclass(frozen=True, slots=True)
class _Plan(Generic[M]):
    """A compiled query on one database."""

    statement: Statement
    parameters: tuple[Any, ...]
    convert: Callable[[Row], Row]
    make: Callable[[Row], M]

    def values(self, given: dict[str, Any]) -> list[Any]:
        """What goes to the driver."""
        return [given[one.name] if isinstance(one, Parameter) else one for one in self.parameters]


class CompiledQuery(Generic[M]):
    """A query with parameters: the queryset of `build`, which takes them by name."""

    def __init__(self, build: Callable[..., "models.QuerySet[M]"], **fields: Any) -> None:
        self._build = build
        self._parameters = {name: Parameter(name, field) for name, field in fields.items()}
        self._plans: dict[str, _Plan[M]] = {}

    def get(self, using: str, **given: Any) -> M | None:
        """The row; of several the first; None where there is none: 1 query."""
        connection = connections[using]
        plan = self._plans.get(using)
        if plan is None:
            plan = self._plans[using] = self._compile(using, connection)
        row = plan.statement.fetch(connection, plan.values(given))
        return None if row is None else plan.make(plan.convert(row))

    def _compile(self, using: str, connection: BaseDatabaseWrapper) -> "_Plan[M]":
        compiler = self._build(**self._parameters).using(using).query.get_compiler(using)
        sql, parameters = compiler.as_sql()
        converters = compiler.get_converters([column for column, _sql, _name in compiler.select])
        steps = [
            (index, list(functions), expression)
            for index, (functions, expression) in converters.items()
        ]
        return _Plan(
            Statement(sql),
            tuple(parameters),
            _converter(steps, connection),
            _maker(compiler.klass_info, compiler.select, using),
        )


def _converter(steps: list[Any], connection: BaseDatabaseWrapper) -> Callable[[Row], Row]:
    """What the driver gives to what Python has, as the ORM does it."""
    if not steps:
        return lambda row: row

    def convert(row: Row) -> Row:
        values = list(row)
        for index, functions, expression in steps:
            for function in functions:
                values[index] = function(values[index], expression, connection)
        return tuple(values)

    return convert


def _maker(info: Any, select: Any, using: str) -> Callable[[Row], Any]:
    """The model of a row, with those that it is joined with.

    As `Model.from_db` makes it, but for the signals of its making; where somebody listens to
    these, `from_db` does it.
    """
    fields = info["select_fields"]
    names = [select[index][0].target.attname for index in fields]
    first, last = fields[0], fields[-1] + 1
    model, key = info["model"], names.index(info["model"]._meta.pk.attname)
    joined = [
        (part["local_setter"], part["remote_setter"], _maker(part, select, using))
        for part in info.get("related_klass_infos", ())
    ]

    def make(row: Row) -> Any:
        values = row[first:last]
        if values[key] is None:  # of an outer join that found nothing
            return None
        if pre_init.receivers or post_init.receivers:
            instance = model.from_db(using, names, values)
        else:
            instance = model.__new__(model)
            instance.__dict__ = dict(zip(names, values, strict=True))
            instance._state = state = ModelState()
            state.adding, state.db = False, using
        for set_local, set_remote, make_other in joined:
            other = make_other(row)
            set_local(instance, other)
            if other is not None:
                set_remote(other, instance)
        return instance

    return make
