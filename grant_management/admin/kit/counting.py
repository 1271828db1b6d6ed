"""Counts by a condition that no index answers: of the first rows only."""

from collections.abc import Callable, Iterable
from typing import Any

from django.utils.translation import gettext as _

from ...db import counting
from ...db.counting import bounded_count, grouped
from ...db.of_service import at_services


def counted(rows: Any, services: Iterable[int], condition: Callable[[Any], Any]) -> str:
    """How many of the first `COUNT_LIMIT` rows, which are ordered and of these services, meet a
    condition: as text, with "at least" where there are more rows.
    """
    keys = rows.values("pk")[: counting.COUNT_LIMIT + 1]
    those = rows.model._default_manager.filter(at_services(services), pk__in=keys)
    found = condition(those).count()
    is_all = bounded_count(rows) <= counting.COUNT_LIMIT
    return grouped(found) if is_all else _("at least %(n)s") % {"n": grouped(found)}
