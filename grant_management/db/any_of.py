"""A condition that a column has one of many values: one parameter where the database can."""

from collections.abc import Iterable
from typing import Any

from django.db.models import F
from django.db.models.lookups import In


class AnyOf(In):
    """`IN`; on PostgreSQL `= ANY`, whose statement does not grow with the number of values."""

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """`= ANY` with the values as one array parameter."""
        left, parameters = self.process_lhs(compiler, connection)
        _placeholders, values = self.process_rhs(compiler, connection)
        return f"{left} = ANY(%s)", [*parameters, list(values)]


def any_of(column: str, values: Iterable[Any]) -> AnyOf:
    """A condition for `filter`: `column` has one of `values`, which must not be empty."""
    return AnyOf(F(column), set(values))
