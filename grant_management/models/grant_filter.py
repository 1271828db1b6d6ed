"""Filters that select many grants, for incidents. A filter is never empty."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from ..db import counting
from ..db.counting import bounded_count, counts_of, grouped, shown_number
from ..db.of_service import at_services, these
from .client import Client
from .content_search import holds_scope, holds_type
from .grant import Grant, GrantQuerySet
from .service import Service

LOOK: Final = 100_000
"""Grants that are examined for a page, at most, where the filter is about columns alone."""
LOOK_FIRST: Final = 12_000
"""Likewise at first: most often more than `COUNT_LIMIT` of them are found, which is enough."""
LOOK_INTO: Final = 10_000
"""Likewise where the JSON texts of grants have to be searched."""
CHUNK: Final = 1_000
"""Grants in memory at a time; a tenth of that if their contents are loaded."""
LONGEST: Final = 255
"""Characters of a subject, a scope or a type, at most: the width of a sweep's columns."""


class EmptyFilter(ValueError):
    """The filter has no condition besides the service, or an empty one: never all grants."""


@dataclass(frozen=True, slots=True)
class GrantFilter:
    """Selects grants of a service that are not revoked; None is no condition.

    EmptyFilter: no condition is given, or one is "". ValueError: one has more than `LONGEST`
    characters.
    """

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
        """Whether a cut-off of the service or the client does the same, by one write.

        That needs `created_before`, and no condition but the client besides.
        """
        narrowed = (self.subject, self.scope, self.authorization_type)
        return self.created_before is not None and all(one is None for one in narrowed)

    def found(self) -> Iterator[Grant]:
        """The grants in the order of their keys, with a chunk in memory at a time."""
        rows = self._rows().with_content(*self.reads).select_related("client").order_by("pk")
        size = max(1, CHUNK // 10) if self.reads else CHUNK
        chunk = list(rows[:size])
        while chunk:
            yield from (grant for grant in chunk if self.matches(grant))
            chunk = list(rows.filter(pk__gt=chunk[-1].pk)[:size])

    def look(self, most: int) -> "Look":
        """What a page shows before the grants are revoked: `most` is for clients and for samples.

        The page examines only the newest grants (`LOOK`, `LOOK_INTO`), revoked ones included; the
        job examines all.
        """
        last = LOOK if self.scope is None and self.authorization_type is None else LOOK_INTO
        for window in dict.fromkeys((min(LOOK_FIRST, last), last)):
            rows, is_all = self._newest(window)
            found = _clients_of(rows)
            if is_all or found.total() > counting.COUNT_LIMIT:
                break
        return Look(found.total(), is_all, self._most(found, most), self._sample(rows, most))

    def _newest(self, window: int) -> tuple[GrantQuerySet, bool]:
        """The grants among so many of the newest, revoked ones included; whether these are all."""
        rows = self._rows().order_by("-created_at", "-pk")
        newest = self._of_columns().order_by("-created_at", "-pk")
        beyond = newest.values_list("created_at", "pk")[window : window + 1].first()
        if beyond is None:
            return rows, True
        at, key = beyond
        return rows.filter(Q(created_at__gt=at) | Q(pk__gt=key), created_at__gte=at), False

    def sample(self, number: int) -> list[Grant]:
        """The newest of the grants, at most this many, without their contents."""
        return self._sample(self._rows().order_by("-created_at", "-pk"), number)

    def _sample(self, rows: GrantQuerySet, number: int) -> list[Grant]:
        """The first of these grants, without their contents. They are found by their keys: with the
        clients in one statement SQLite begins with these, and reads all grants of each.
        """
        keys, at = rows.values("pk")[:number], at_services([self.service.pk])
        shown = Grant.objects.filter(at, pk__in=keys).select_related("client").with_content()
        return list(shown.order_by("-created_at", "-pk"))

    def count(self) -> int:
        """The number of grants, exact up to `COUNT_LIMIT`; `COUNT_LIMIT + 1` means more."""
        return bounded_count(self._rows().order_by("-created_at"))

    def by_client(self, most: int) -> list[tuple[str, int]]:
        """Client IDs and their numbers of grants, among the newest `COUNT_LIMIT`.

        The clients with the most grants come first; there are at most `most`.
        """
        return self._most(_clients_of(self._rows().order_by("-created_at")), most)

    def _most(self, found: "Counter[int]", most: int) -> list[tuple[str, int]]:
        numbers = found.most_common(most)
        of = these(Client.objects, [(pk, self.service.pk) for pk, _number in numbers])
        clients = {client.pk: client.client_id for client in of}
        return [(clients[pk], number) for pk, number in numbers]

    def _rows(self) -> GrantQuerySet:
        """The grants, selected by SQL alone."""
        rows = self._of_columns().filter(revoked_at=None)
        if self.scope is not None:
            rows = rows.filter(holds_scope(self.scope))
        if self.authorization_type is not None:
            rows = rows.filter(holds_type(self.authorization_type))
        return rows

    def _of_columns(self) -> GrantQuerySet:
        """The grants by the conditions that indexes answer, revoked ones included."""
        conditions = {
            "client": self.client,
            "subject": self.subject,
            "created_at__lt": self.created_before,
        }
        given = {name: value for name, value in conditions.items() if value is not None}
        return Grant.objects.filter(service=self.service, **given)

    @property
    def reads(self) -> list[str]:
        """The `CONTENT` columns that `matches` reads."""
        read = {"scopes": self.scope, "authorization_details": self.authorization_type}
        return [name for name, wanted in read.items() if wanted is not None]

    def matches(self, grant: Grant) -> bool:
        """Whether the grant holds the scope and the type, by their exact names.

        The other conditions are not tested: they cannot change after the grant was found.
        """
        if self.scope is not None and self.scope not in grant.scope_names():
            return False
        wanted = self.authorization_type
        return wanted is None or wanted in grant.authorization_types()


@dataclass(frozen=True, slots=True)
class Look:
    """What a filter finds for a page. `is_all`: every grant was examined."""

    count: int
    is_all: bool
    clients: list[tuple[str, int]]
    sample: list[Grant]

    def __str__(self) -> str:
        if self.is_all or self.count > counting.COUNT_LIMIT:
            return shown_number(self.count)
        return gettext("at least %(n)s") % {"n": grouped(self.count)}

    @property
    def expected(self) -> int:
        """How many grants a job will revoke; `COUNT_LIMIT + 1`: more than that, or unknown."""
        return self.count if self.is_all else counting.COUNT_LIMIT + 1


def _clients_of(rows: "QuerySet[Grant]") -> "Counter[int]":
    """How many of these grants each client has, by its key: of `COUNT_LIMIT + 1` at most."""
    return counts_of(rows, "client_id", counting.COUNT_LIMIT + 1)
