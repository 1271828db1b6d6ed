"""Pages of lists, by their number in the query string."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.http import HttpRequest


class Page(NamedTuple):
    """The rows of a page, and the numbers of the pages around it; None: there is none."""

    rows: Sequence[Any]
    newer: int | None
    older: int | None


def page_of(request: HttpRequest, rows: Any, size: int) -> Page:
    """The page that the query string names as `page`; the first one where it names none."""
    text = request.GET.get("page", "")
    is_number = text.isascii() and text.isdigit() and len(text) < 7
    number = max(1, int(text)) if is_number else 1
    start = (number - 1) * size
    found = list(rows[start : start + size + 1])
    more = len(found) > size
    return Page(found[:size], number - 1 if number > 1 else None, number + 1 if more else None)
