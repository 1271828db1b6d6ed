"""Counts by a condition that no index answers: of the first rows only."""

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from ...db import counting
from ...db.counting import counted_among, grouped


def counted(rows: "QuerySet[Any]", condition: Q) -> str:
    """How many of the first `COUNT_LIMIT` rows, which are ordered, meet a condition: as text, with
    "at least" where there are more rows.
    """
    found, is_all = counted_among(rows, condition, counting.COUNT_LIMIT)
    return grouped(found) if is_all else _("at least %(n)s") % {"n": grouped(found)}
