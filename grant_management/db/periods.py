"""The hour and the day of a time (UTC), by which rows are counted.

Django has SQLite call a Python function for each row. There a time is stored as a text in UTC, and
the beginning of that text is its day, or its hour.
"""

from datetime import UTC
from typing import Any, Final

from django.db.models.functions import TruncDate, TruncDay, TruncHour
from django.db.models.functions.datetime import TruncBase

_DAY: Final = len("2026-01-01")
_HOUR: Final = len("2026-01-01 00")


def _beginning(of: TruncBase, compiler: Any, length: int, rest: str) -> tuple[str, Any]:
    sql, parameters = compiler.compile(of.lhs)
    return f"(SUBSTR({sql}, 1, {length}) || '{rest}')", parameters


class _Day(TruncDay):
    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        return _beginning(self, compiler, _DAY, " 00:00:00")


class _Hour(TruncHour):
    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        return _beginning(self, compiler, _HOUR, ":00:00")


class _Date(TruncDate):
    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        return _beginning(self, compiler, _DAY, "")


def hour_of(name: str) -> Any:
    """The moment at which the hour begins of the time in this column."""
    return _Hour(name, tzinfo=UTC)


def day_of(name: str) -> Any:
    """The moment at which the day begins of the time in this column."""
    return _Day(name, tzinfo=UTC)


def date_of(name: str) -> Any:
    """The date of the time in this column."""
    return _Date(name, tzinfo=UTC)
