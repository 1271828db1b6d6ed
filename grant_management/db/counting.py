"""Counts with a limit, so that no page waits until a whole table is counted."""

from typing import Any, Final

from django.db.models import QuerySet

COUNT_LIMIT: Final = 10_000
"""Counts are exact up to here."""


def bounded_count(rows: "QuerySet[Any]") -> int:
    """The number of rows, exact up to `COUNT_LIMIT`; `COUNT_LIMIT + 1` means more.

    The query must be ordered, so that the database follows an index: without an order it may scan
    the table instead.
    """
    return rows[: COUNT_LIMIT + 1].count()


def shown_number(number: int) -> str:
    """A bounded count as text for an operator: exact up to `COUNT_LIMIT`, then "more than"."""
    return f"{number:,}" if number <= COUNT_LIMIT else f"more than {COUNT_LIMIT:,}"
