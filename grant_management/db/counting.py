"""Counts with a limit, so that no page waits until a whole table is counted."""

from collections import Counter
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import Case, Count, F, Q, QuerySet, Sum, When
from django.db.models.sql.constants import INNER
from django.utils.formats import get_format
from django.utils.translation import gettext

COUNT_LIMIT: Final = 10_000
"""Counts are exact up to here."""


def bounded_count(rows: "QuerySet[Any]") -> int:
    """The number of rows, exact up to `COUNT_LIMIT`; `COUNT_LIMIT + 1` means more.

    The query must be ordered, so that the database follows an index: without an order it may scan
    the table instead.
    """
    return rows[: COUNT_LIMIT + 1].count()


def counted_among(rows: "QuerySet[Any]", condition: Q, look: int) -> tuple[int, bool]:
    """How many of the first `look` rows, which an index has in this order, meet a condition; and
    whether there are no others. (If there are, the next one may be counted in place of one.)

    It is done in one pass over them. Given their keys (`pk IN (…)`), PostgreSQL would read the
    whole table. SQLite needs the keys where the condition names other tables: it would begin with
    those.
    """
    judged = rows.annotate(_meets=Case(When(condition, then=1), default=0)).values("_meets")
    if connections[rows.db].vendor != "sqlite" or not _joins_others(judged):
        found = judged[: look + 1].aggregate(seen=Count("*"), met=Sum("_meets"))
        return min(found["met"] or 0, look), found["seen"] <= look
    keys = rows.values("pk")[: look + 1]
    met = rows.model._default_manager.filter(condition, pk__in=keys).count()
    return min(met, look), keys.count() <= look


def counts_of(rows: "QuerySet[Any]", value: str, look: int) -> "Counter[Any]":
    """How many of the first `look` rows, which an index has in this order, have each value.

    The database counts them in a query around theirs: of Django's own groups it would count those
    of all rows, and Python would have to read every row.
    """
    only = rows.values(counted=F(value))[:look]
    connection = connections[rows.db]
    try:
        sql, parameters = only.query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:
        return Counter()
    around = f"SELECT counted, COUNT(*) FROM ({sql}) AS found GROUP BY counted"  # noqa: S608 - Django's
    with connection.cursor() as cursor:
        cursor.execute(around, parameters)
        return Counter(dict(cursor.fetchall()))


def _joins_others(rows: "QuerySet[Any]") -> bool:
    """Whether the query joins other tables, with any of which SQLite may begin. With one that is
    joined by LEFT JOIN it never does.
    """
    query = rows.query
    used = (join for name, join in query.alias_map.items() if query.alias_refcount[name])
    return any(getattr(join, "join_type", None) == INNER for join in used)


def shown_number(number: int) -> str:
    """A bounded count as text for an operator: exact up to `COUNT_LIMIT`, then "more than"."""
    if number <= COUNT_LIMIT:
        return grouped(number)
    return gettext("more than %(n)s") % {"n": grouped(COUNT_LIMIT)}


def grouped(number: float, places: int = 0) -> str:
    """The number with so many decimal places, as the language of the page writes it: 1,234.5 in
    English, 1.234,5 in German.
    """
    text = f"{number:,.{places}f}"
    if text.isdigit():
        return text
    names = {",": "THOUSAND_SEPARATOR", ".": "DECIMAL_SEPARATOR"}
    return "".join(get_format(names[one]) if one in names else one for one in text)
