"""The phrase that an operator must type before many grants are revoked.

The login session keeps it as it was shown. The count goes on changing, and a phrase that changed
with it could never be typed.
"""

import uuid
from dataclasses import asdict, dataclass
from typing import Any

from django.http import HttpRequest

from ..models import GrantFilter
from ..models.grant_filter import Look
from .kit import confirmation


@dataclass(frozen=True)
class Asked:
    """The phrase to type, and the number of grants that was expected when it was shown."""

    phrase: str
    expected: int

    @classmethod
    def about(cls, wanted: GrantFilter, look: Look) -> "Asked":
        """By the number of grants, as for any other act (`phrase_for`).

        A cut-off asks for the name: it also stops tokens without a grant, which nobody counted.
        """
        damage = max(look.expected, confirmation.MANY + 1) if wanted.is_cut_off else look.expected
        return cls(confirmation.phrase_for(damage, _name(wanted)), look.expected)


def remember(request: HttpRequest, sweep: uuid.UUID, wanted: GrantFilter, asked: Asked) -> None:
    """Keep what was asked for this filter, on the page that would start this sweep."""
    confirmation.remember(request, str(sweep), _named(wanted), asdict(asked))


def recall(request: HttpRequest, sweep: uuid.UUID, wanted: GrantFilter) -> Asked | None:
    """What that page asked; None: nothing is remembered, or it is too old or of another filter."""
    found = confirmation.recall(request, str(sweep), _named(wanted))
    return None if found is None else Asked(**found)


def _name(wanted: GrantFilter) -> str:
    """What the filter is about: the client, the person, what grants hold; or the service."""
    client_id = wanted.client.client_id if wanted.client else None
    names = (client_id, wanted.subject, wanted.scope, wanted.authorization_type)
    return next((name for name in names if name), wanted.service.name)


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
