"""What an operator is asked to type before many grants die.

It is remembered as it was shown, in the login session: what is counted moves meanwhile, and a
phrase that moves with it could never be typed.
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
"""Pages of a login session that can still be confirmed."""
HOLDS: Final = 3_600
"""Seconds that a page can be confirmed: then it is time to count again."""


@dataclass(frozen=True)
class Asked:
    """The phrase to type, and how many grants were expected then."""

    phrase: str
    expected: int
    is_count: bool

    @classmethod
    def about(cls, wanted: GrantFilter, look: Look) -> "Asked":
        """The client's ID, where there is one; else the count."""
        phrase = wanted.client.client_id if wanted.client else str(look)
        return cls(phrase, look.expected, wanted.client is None)

    def is_typed(self, text: str) -> bool:
        """Whether this is it; a count also without its separators."""
        typed, phrase = text.strip(), self.phrase
        same = typed == phrase
        return same or (self.is_count and typed.replace(",", "") == phrase.replace(",", ""))


def remember(request: HttpRequest, sweep: uuid.UUID, wanted: GrantFilter, asked: Asked) -> None:
    """That this was shown for this filter, on the page with this number."""
    pages = dict(request.session.get(KEY, {}))
    pages.pop(str(sweep), None)
    pages[str(sweep)] = {"of": _named(wanted), "at": to_seconds(clock.estimate()), **asdict(asked)}
    request.session[KEY] = dict(list(pages.items())[-KEPT:])


def recall(request: HttpRequest, sweep: uuid.UUID, wanted: GrantFilter) -> Asked | None:
    """What was shown; None: nothing, too long ago, or for another filter."""
    page = dict(request.session.get(KEY, {}).get(str(sweep), {}))
    shown, at = page.pop("of", None), page.pop("at", 0)
    if shown != _named(wanted) or not 0 <= to_seconds(clock.estimate()) - at <= HOLDS:
        return None
    return Asked(**page)


def _named(wanted: GrantFilter) -> dict[str, Any]:
    """A filter, to be compared."""
    before = wanted.created_before
    return {
        "service": wanted.service.pk,
        "client": wanted.client.pk if wanted.client else None,
        "subject": wanted.subject,
        "scope": wanted.scope,
        "authorization_type": wanted.authorization_type,
        "created_before": before.isoformat() if before else None,
    }
