"""Counts that stop: a page must not wait for a table."""

from typing import Any, Final

from django.db.models import QuerySet

COUNT_LIMIT: Final = 10_000
"""Counts are exact up to here."""


def bounded_count(rows: "QuerySet[Any]") -> int:
    """How many rows of an ordered query there are, exact up to `COUNT_LIMIT`; one more: more.

    The order lets an index lead to them: without one, a database may read the table instead.
    """
    return rows[: COUNT_LIMIT + 1].count()


def shown_number(number: int) -> str:
    """As an operator reads it: exact up to `COUNT_LIMIT`, then "more than"."""
    return f"{number:,}" if number <= COUNT_LIMIT else f"more than {COUNT_LIMIT:,}"
