"""Counts by a condition that no index answers: of the first rows only."""

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from ...db import counting
from ...db.counting import bounded_count, grouped


def counted(rows: Any, condition: Callable[[Any], Any]) -> str:
    """How many of the first `COUNT_LIMIT` rows, which are ordered, meet a condition: as text, with
    "at least" where there are more rows.
    """
    keys = rows.values("pk")[: counting.COUNT_LIMIT + 1]
    found = condition(rows.model._default_manager.filter(pk__in=keys)).count()
    is_all = bounded_count(rows) <= counting.COUNT_LIMIT
    return grouped(found) if is_all else _("at least %(n)s") % {"n": grouped(found)}
