"""What a revoke of several grants stops, counted before it is confirmed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from ..db import clock
from ..db.counting import bounded_count, shown_number
from ..db.of_service import at_services
from ..models import AccessToken, RefreshToken
from ..models.stops import staying, stopping

MOST: Final = 100
"""The most grants that are revoked while the operator waits; a revoke by filter takes more."""


@dataclass(frozen=True)
class Damage:
    """What stops with these grants: bounded counts. `left` are access tokens that stay valid."""

    grants: int
    access_tokens: int
    refresh_tokens: int
    left: int
    is_any_left: bool

    @classmethod
    def of(cls, grants: list[Any]) -> "Damage":
        """Counted in the database. The grants were read with their services."""
        now = clock.now()
        dying = [one for one in grants if one.service.revoke_access_tokens]
        staying = [one for one in grants if not one.service.revoke_access_tokens]
        access, left = (_alive(AccessToken, some, now) for some in (dying, staying))
        refresh = _alive(RefreshToken, dying + staying, now)
        return cls(len(grants), access, refresh, left, bool(staying))

    @property
    def most(self) -> int:
        """The largest of the numbers, which decides what must be typed."""
        return max(self.grants, self.access_tokens, self.refresh_tokens)

    def lines(self) -> Iterator[Any]:
        """Sentences with the numbers, and that nothing brings them back."""
        yield from self.numbers()
        yield _("It cannot be undone.")

    def numbers(self) -> Iterator[Any]:
        """Sentences with the numbers."""
        tokens = map(shown_number, (self.access_tokens, self.refresh_tokens))
        yield stopping(self.grants, *tokens)
        if self.is_any_left:
            yield staying(self.left)


def _alive(model: type[Any], grants: list[Any], now: Any) -> int:
    services = {one.service_id for one in grants}
    rows = model.objects.filter(at_services(services), grant__in=[one.pk for one in grants])
    tokens = rows.alive(now, services)
    return bounded_count(tokens.order_by("-pk"))
