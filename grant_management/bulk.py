"""Many grants at once: for incidents. A filter is never empty, and a sweep can be run again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from django.db.models import QuerySet

from .models import Actor, Client, Grant, Reason, Service

COUNT_LIMIT: Final = 10_000
"""Counts are exact up to here."""


class EmptyFilter(ValueError):
    """The filter says nothing besides the service, which is not the same as everything."""


@dataclass(frozen=True, slots=True)
class GrantFilter:
    """Which live grants of a service; None: whatever. At least one must be something."""

    service: Service
    client: Client | None = None
    subject: str | None = None
    scope: str | None = None
    authorization_type: str | None = None
    created_before: datetime | None = None

    def __post_init__(self) -> None:
        said = (self.client, self.subject, self.scope, self.authorization_type, self.created_before)
        if all(one is None for one in said):
            raise EmptyFilter("Say which grants: a service alone is not enough.")

    @property
    def is_cut_off(self) -> bool:
        """Whether one write does it: a service, or one client of it, and a moment."""
        narrowed = (self.subject, self.scope, self.authorization_type)
        return self.created_before is not None and all(one is None for one in narrowed)

    def found(self) -> Iterator[Grant]:
        """The live grants, in the order of their keys, streamed."""
        rows = self._rows().order_by("pk").iterator(chunk_size=1_000)
        return (grant for grant in rows if self._matches(grant))

    def count(self) -> int:
        """Exact up to `COUNT_LIMIT`; one more than that means: more."""
        return sum(1 for _ in islice(self.found(), COUNT_LIMIT + 1))

    def _rows(self) -> "QuerySet[Grant]":
        conditions = {
            "client": self.client,
            "subject": self.subject,
            "created_at__lt": self.created_before,
        }
        given = {name: value for name, value in conditions.items() if value is not None}
        return Grant.objects.filter(service=self.service, revoked_at=None, **given)

    def _matches(self, grant: Grant) -> bool:
        """What is inside the stored JSON texts, compared as the names that they are."""
        if self.scope is not None and self.scope not in grant.scope_names():
            return False
        wanted = self.authorization_type
        return wanted is None or wanted in grant.authorization_types()


def revoke_found(
    wanted: GrantFilter, now: datetime, actor: Actor, why: Reason, *, batch_size: int
) -> Iterator[int]:
    """How many each batch revoked, until none is left. A cut-off comes first, where one does it.

    Interrupted, it goes on where it stopped when it is run again: what is revoked is not found.
    """
    at = now
    if wanted.is_cut_off and wanted.created_before is not None:
        at = wanted.created_before
        (wanted.client or wanted.service).move_cut_off(now, actor, why, before=at)
    found = wanted.found()
    while keys := [grant.pk for grant in islice(found, batch_size)]:
        yield Grant.objects.revoke_all(wanted.service, keys, at, actor, why)
