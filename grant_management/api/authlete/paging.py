"""Authlete's pages: the rows from `start` (inclusive) to `end` (exclusive), by their numbers."""

from typing import Any, Final, NamedTuple

from django.db.models import QuerySet

from ...db.counting import bounded_count
from ...fields import members as m
from ...protocol.results import Refused, Result
from ..store.answer import Answer
from ..store.request import Values

PAGE: Final = (m.START, m.END)
DEFAULT_SIZE: Final = 5
"""Rows without an `end`, as Authlete has it."""
MAX_SIZE: Final = 1_000


class Page(NamedTuple):
    """The rows of a page, and the members that describe it."""

    rows: list[Any]
    shown: Answer


def cut(rows: "QuerySet[Any]", values: Values) -> Page:
    """The page that `values` ask for. `totalCount` is exact up to `COUNT_LIMIT`: 2 queries.

    The rows must be ordered. Refused: the page would be larger than `MAX_SIZE`, or `end` comes
    before `start`.
    """
    start = values.get("start", 0)
    # 0 is what SDKs send for a number that was never set.
    end = values.get("end") or start + DEFAULT_SIZE
    if not start <= end <= start + MAX_SIZE:
        said = f"'end' is neither before 'start' nor more than {MAX_SIZE} behind it."
        raise Refused(Result.BODY_UNREADABLE, said)
    shown = {"start": start, "end": end, "totalCount": bounded_count(rows)}
    return Page(list(rows[start:end]), shown)


def refuse_developer(values: Values) -> None:
    """Refuse a filter that would be ignored: this server keeps no developers of clients."""
    if values.get("developer"):
        raise Refused(Result.BODY_UNREADABLE, "'developer' is not kept here: leave it out.")
