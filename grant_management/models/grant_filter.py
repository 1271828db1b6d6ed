"""Which grants are meant, where many are: for incidents. A filter is never empty."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final

from django.db.models import QuerySet

from ..protocol import strict_json
from .client import Client
from .grant import Grant, GrantQuerySet
from .service import Service

COUNT_LIMIT: Final = 10_000
"""Counts are exact up to here."""
CHUNK: Final = 1_000
"""Grants in memory at a time; a tenth of that where what they hold is looked at."""
LONGEST: Final = 255
"""Characters of a subject, a scope or a type, as far as a sweep can keep it."""


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
        if "" in said:
            raise EmptyFilter("An empty subject, scope or type finds nothing: leave it out.")
        if all(one is None for one in said):
            raise EmptyFilter("Say which grants: a service alone is not enough.")
        if any(isinstance(one, str) and len(one) > LONGEST for one in said):
            raise ValueError(f"A subject, scope or type has at most {LONGEST} characters.")

    @property
    def is_cut_off(self) -> bool:
        """Whether one write does it: a service, or one client of it, and a moment."""
        narrowed = (self.subject, self.scope, self.authorization_type)
        return self.created_before is not None and all(one is None for one in narrowed)

    def found(self) -> Iterator[Grant]:
        """The live grants, in the order of their keys, a chunk in memory at a time."""
        rows = self._rows().with_content(*self.reads).select_related("client").order_by("pk")
        size = max(1, CHUNK // 10) if self.reads else CHUNK
        chunk = list(rows[:size])
        while chunk:
            yield from (grant for grant in chunk if self.matches(grant))
            chunk = list(rows.filter(pk__gt=chunk[-1].pk)[:size])

    def sample(self, number: int) -> list[Grant]:
        """The first of them."""
        return list(islice(self.found(), number))

    def count(self) -> int:
        """Exact up to `COUNT_LIMIT`; one more than that means: more."""
        if self._is_in_columns:
            return bounded_count(self._rows().order_by("-created_at"))
        return sum(1 for _ in islice(self.found(), COUNT_LIMIT + 1))

    def by_client(self, most: int) -> list[tuple[str, int]]:
        """How many of the first `COUNT_LIMIT` are whose; the clients with the most.

        Counted here: where SQL counted them, a database might read the whole table for it.
        """
        if not self._is_in_columns:
            grants = islice(self.found(), COUNT_LIMIT)
            found = Counter(grant.client.client_id for grant in grants)
            return found.most_common(most)
        rows = self._rows().order_by("-created_at").values_list("client_id", flat=True)
        numbers = Counter(rows[:COUNT_LIMIT]).most_common(most)
        clients = Client.objects.in_bulk([key for key, _ in numbers])
        return [(clients[key].client_id, number) for key, number in numbers]

    @property
    def _is_in_columns(self) -> bool:
        """Whether SQL alone finds them: nothing is inside a JSON text."""
        return not self.reads

    def _rows(self) -> GrantQuerySet:
        """By what is in columns; and, of the stored JSON texts, those that can match at all."""
        conditions = {
            "client": self.client,
            "subject": self.subject,
            "created_at__lt": self.created_before,
            "scopes__contains": self.scope,
            "authorization_details__contains": (
                None
                if self.authorization_type is None
                else strict_json.dumps(self.authorization_type)
            ),
        }
        given = {name: value for name, value in conditions.items() if value is not None}
        return Grant.objects.filter(service=self.service, revoked_at=None, **given)

    @property
    def reads(self) -> list[str]:
        """Which of a grant's contents have to be looked at."""
        read = {"scopes": self.scope, "authorization_details": self.authorization_type}
        return [name for name, wanted in read.items() if wanted is not None]

    def matches(self, grant: Grant) -> bool:
        """Whether it does by what may change: what is inside the stored JSON texts, compared as the
        names that they are.
        """
        if self.scope is not None and self.scope not in grant.scope_names():
            return False
        wanted = self.authorization_type
        return wanted is None or wanted in grant.authorization_types()


def bounded_count(rows: "QuerySet[Any]") -> int:
    """How many rows of an ordered query there are, exact up to `COUNT_LIMIT`; one more: more.

    The order lets an index lead to them: without one, a database may read the table instead.
    """
    return rows[: COUNT_LIMIT + 1].count()


def shown_number(number: int) -> str:
    """As an operator reads it: exact up to `COUNT_LIMIT`, then "more than"."""
    return f"{number:,}" if number <= COUNT_LIMIT else f"more than {COUNT_LIMIT:,}"
