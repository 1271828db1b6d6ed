"""The phrase that an operator must type before many grants are revoked.

The login session keeps it as it was shown. The count goes on changing, and a phrase that changed
with it could never be typed.
"""

import uuid
from dataclasses import asdict, dataclass
from typing import Any, Final

from django.http import HttpRequest

from ..db import clock
from ..models import GrantFilter
from ..models.grant_filter import Look
from ..protocol.times import to_seconds

KEY: Final = "grant_management_asked"
KEPT: Final = 20
"""The most pages that a login session remembers."""
HOLDS: Final = 3_600
"""Seconds that a page is remembered; then the grants are counted again."""


@dataclass(frozen=True)
class Asked:
    """The phrase to type, and the number of grants that was expected when it was shown.

    `is_count`: the phrase is a number of grants, not a client ID.
    """

    phrase: str
    expected: int
    is_count: bool

    @classmethod
    def about(cls, wanted: GrantFilter, look: Look) -> "Asked":
        """The client ID, where the filter names a client; else the count."""
        phrase = wanted.client.client_id if wanted.client else str(look)
        return cls(phrase, look.expected, wanted.client is None)

    def is_typed(self, text: str) -> bool:
        """Whether the text is the phrase; the commas of a count may be left out."""
        typed, phrase = text.strip(), self.phrase
        same = typed == phrase
        return same or (self.is_count and typed.replace(",", "") == phrase.replace(",", ""))


def remember(request: HttpRequest, sweep: uuid.UUID, wanted: GrantFilter, asked: Asked) -> None:
    """Keep what was asked for this filter, on the page that would start this sweep."""
    pages = dict(request.session.get(KEY, {}))
    pages.pop(str(sweep), None)
    pages[str(sweep)] = {"of": _named(wanted), "at": to_seconds(clock.estimate()), **asdict(asked)}
    request.session[KEY] = dict(list(pages.items())[-KEPT:])


def recall(request: HttpRequest, sweep: uuid.UUID, wanted: GrantFilter) -> Asked | None:
    """What that page asked; None: nothing is remembered, or it is too old or of another filter."""
    page = dict(request.session.get(KEY, {}).get(str(sweep), {}))
    shown, at = page.pop("of", None), page.pop("at", 0)
    if shown != _named(wanted) or not 0 <= to_seconds(clock.estimate()) - at <= HOLDS:
        return None
    return Asked(**page)


def _named(wanted: GrantFilter) -> dict[str, Any]:
    """A filter as JSON, to be compared with one in the session."""
    before = wanted.created_before
    return {
        "service": wanted.service.pk,
        "client": wanted.client.pk if wanted.client else None,
        "subject": wanted.subject,
        "scope": wanted.scope,
        "authorization_type": wanted.authorization_type,
        "created_before": before.isoformat() if before else None,
    }
