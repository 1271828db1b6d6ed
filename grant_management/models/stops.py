"""What an act would stop, counted before it: grants, access and refresh tokens."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Case, F, Q, QuerySet, When
from django.utils.translation import gettext as _

from ..db import clock
from ..db.counting import COUNT_LIMIT, counted_among, counts_of, grouped, shown_number
from ..db.of_service import these
from .client import Client
from .grant import Grant, GrantStatus, status_condition
from .grant_filter import GrantFilter
from .service import Service
from .spared import known_of
from .token import AccessToken, RefreshToken

LOOKS: Final[tuple[int, ...]] = (12_000, 50_000)
"""Rows that are looked at for one number: again, and further, where few of the first are alive."""
FEWER: Final[tuple[int, ...]] = (1_100, 4_000)
"""Tokens that are looked at first: each of them is judged with its grant, which costs as much as to
judge three grants.
"""
MOST_TOKENS: Final = 1_000
"""Numbers of tokens are exact up to here. From far fewer on, the name of what is stopped is typed.
"""
LISTED: Final = 5
"""Clients that are named, of those that lose most."""


@dataclass(frozen=True)
class Number:
    """A number of rows: exact, or else there are at least as many."""

    count: int
    is_exact: bool

    @classmethod
    def of(cls, rows: "QuerySet[Any]", alive: Q, looks: tuple[int, ...], most: int) -> "Number":
        """How many of the first rows are alive, exact up to `most`; an index finds the rows in
        order.
        """
        count = 0
        for look in looks:
            count, is_all = counted_among(rows, alive, look)
            if count > most:
                return cls(most, False)
            if is_all:
                return cls(count, True)
        return cls(count, False)

    def __str__(self) -> str:
        shown = grouped(self.count)
        return shown if self.is_exact else _("at least %s") % shown

    def as_json(self) -> dict[str, Any]:
        """The number as a detail of an event."""
        return {"number": self.count, "exact": self.is_exact}


_NONE: Final = Number(0, True)


@dataclass(frozen=True)
class Stops:
    """What an action stops, and how many grants each of the clients loses that lose most."""

    grants: Number
    access_tokens: Number
    refresh_tokens: Number
    clients: tuple[tuple[str, int], ...] = ()

    @property
    def damage(self) -> int:
        """The largest of the numbers, which decides what must be typed."""
        return max(one.count for one in (self.grants, self.access_tokens, self.refresh_tokens))

    def lines(self) -> Iterator[str]:
        """Sentences with the numbers."""
        yield stopping(self.grants, self.access_tokens, self.refresh_tokens)
        if len(self.clients) > 1:
            named = ", ".join(
                f"{client_id} ({grouped(number)})" for client_id, number in self.clients
            )
            yield _("The clients that lose most grants: %s") % named

    def as_json(self) -> dict[str, Any]:
        """The numbers as details of an event, which a receipt shows."""
        names = ("grants", "access_tokens", "refresh_tokens")
        return {"stops": {name: getattr(self, name).as_json() for name in names}}


def stopping(grants: Any, access_tokens: Any, refresh_tokens: Any) -> str:
    """The sentence that says how much an action stops."""
    said = _(
        "This stops now. Grants: %(grants)s; access tokens: %(access)s; refresh tokens:"
        " %(refresh)s."
    )
    return said % {"grants": grants, "access": access_tokens, "refresh": refresh_tokens}


def staying(number: int) -> str:
    """The sentence that says how many access tokens a revoke leaves alone (draft §6.5)."""
    said = _("Access tokens that stay valid until they expire: %(n)s.")
    return said % {"n": shown_number(number)}


def stops_of(target: Service | Client, before: datetime | None = None) -> Stops:
    """What stops where a service or a client is cut off, or a client is locked, now. `before` is
    the moment of a cut-off that spares what came after it.
    """
    of = {"service": target.pk}
    if isinstance(target, Client):
        of = {"service": target.service_id, "client": target.pk}
    now, known = clock.now(), known_of(target)
    newest = Grant.objects.filter(**of).order_by("-created_at", "-pk")
    if before is not None:
        newest = newest.filter(created_at__lt=before)
    grants, clients = _grants(target, newest, status_condition(GrantStatus.ACTIVE, now, known))
    access, refresh = (
        _tokens_of_many(model, of, model.living(now, known), now, before)
        for model in (AccessToken, RefreshToken)
    )
    return Stops(grants, access, refresh, clients)


def stops_of_cut_off(wanted: GrantFilter) -> Stops:
    """What stops where a filter that is a cut-off is confirmed now."""
    return stops_of(wanted.client or wanted.service, wanted.created_before)


def stops_of_grant(grant: Grant) -> Stops:
    """What stops where a grant is revoked now."""
    now, of = clock.now(), {"service": grant.service_id, "grant": grant.pk}
    is_active = grant.status(now) is GrantStatus.ACTIVE
    access = _tokens_of_one(AccessToken, of, now) if grant.service.revoke_access_tokens else _NONE
    return Stops(Number(int(is_active), True), access, _tokens_of_one(RefreshToken, of, now))


_Tokens = type[AccessToken | RefreshToken]


def _tokens_of_one(model: _Tokens, of: dict[str, Any], now: datetime) -> Number:
    """Of a grant, which is read once."""
    rows, dying = model._default_manager.filter(**of), model.living(now, [of["service"]])
    return Number.of(rows.order_by(), dying, LOOKS, COUNT_LIMIT)


def _tokens_of_many(
    model: _Tokens, of: dict[str, Any], dying: Q, now: datetime, before: datetime | None
) -> Number:
    """Of many grants."""
    rows, looks = model._default_manager.filter(**of), (*FEWER, *LOOKS)
    if before is not None:  # a token of an earlier grant ends with its grant: it is read too
        dying &= Q(issued_at__lt=before) | Q(grant__created_at__lt=before)
        looks = LOOKS[:1]  # few of them are early enough: a shorter look would be for nothing
    # Most rows of a large table are expired: of a service, an index finds the others.
    if of.keys() == {"service"}:
        rows = rows.filter(Q(expires_at=None) | Q(expires_at__gt=now))
    return Number.of(rows.order_by(), dying, looks, min(MOST_TOKENS, COUNT_LIMIT))


def _grants(
    target: Service | Client, newest: "QuerySet[Grant]", active: Q
) -> tuple[Number, tuple[tuple[str, int], ...]]:
    """The number of active grants; and of a service the clients that lose most of those that were
    looked at for it.
    """
    if isinstance(target, Client):
        return Number.of(newest, active, LOOKS, COUNT_LIMIT), ()
    owner = Case(When(active, then=F("client_id")))
    loses = counts_of(newest.annotate(_loses=owner), "_loses", LOOKS[0])
    seen, _dead = loses.total(), loses.pop(None, 0)
    clients, number = _named(target, loses), Number(loses.total(), seen < LOOKS[0])
    if number.count > COUNT_LIMIT:
        return Number(COUNT_LIMIT, False), clients
    if not number.is_exact:
        number = Number.of(newest, active, LOOKS[-1:], COUNT_LIMIT)
    return number, clients


def _named(service: Service, loses: "Counter[int]") -> tuple[tuple[str, int], ...]:
    """The client IDs of those that lose most, with their numbers."""
    most = sorted(loses.items(), key=lambda one: (-one[1], one[0]))[:LISTED]
    of = these(Client.objects, [(key, service.pk) for key, _number in most])
    names = {client.pk: client.client_id for client in of}
    return tuple((names[key], number) for key, number in most)
