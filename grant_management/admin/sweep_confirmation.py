"""The phrase that an operator must type before many grants are revoked.

The login session keeps it as it was shown. The count goes on changing, and a phrase that changed
with it could never be typed.
"""

import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from django.http import HttpRequest

from ..models import GrantFilter
from ..models.grant_filter import Look
from ..models.stops import Stops, stops_of_cut_off
from .kit import confirmation
from .revoke_form import MOST, Damage

Counted = Stops | Damage | None
"""What a filter stops; None: too many grants to count their tokens for a page."""


def counted(wanted: GrantFilter, look: Look) -> Counted:
    """What the filter stops: a cut-off as every other one, a few grants as on a person's page."""
    if wanted.is_cut_off:
        return stops_of_cut_off(wanted)
    if look.expected > MOST:
        return None
    grants = wanted.sample(MOST)
    for grant in grants:
        grant.service = wanted.service
    return Damage.of(grants)


def numbers(found: Counted) -> Iterator[Any]:
    """Sentences with the numbers."""
    if isinstance(found, Stops):
        yield from found.lines()
    elif found is not None:
        yield from found.numbers()


@dataclass(frozen=True)
class Asked:
    """The phrase to type, the number of grants that was expected when it was shown, and the
    numbers that a cut-off's event tells.
    """

    phrase: str
    expected: int
    told: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def about(cls, wanted: GrantFilter, look: Look, found: Counted) -> "Asked":
        """By the number of grants and tokens, as for any other act (`phrase_for`).

        A cut-off asks for the name: it also stops tokens without a grant.
        """
        damage, told = look.expected, {}
        if isinstance(found, Stops):
            damage, told = max(damage, confirmation.MANY + 1), found.as_json()
        elif found is not None:
            damage = max(damage, found.most)
        return cls(confirmation.phrase_for(damage, _name(wanted)), look.expected, told)


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
