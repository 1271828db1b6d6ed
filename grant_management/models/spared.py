"""Which rows are from after the cut-offs of their service and their client, as a condition."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import F, OuterRef, Q, Subquery

from .client import Client
from .service import Service

_OWNERS: Final = ("client", "service")
"""The relations of a row to what can be cut off."""


@dataclass(frozen=True)
class Known:
    """The latest cut-off of all rows that are asked for, which was read already; None: of none."""

    cut_off: datetime | None


Of = Iterable[int] | Known | None
"""Whose rows are asked for, as far as it is known: the numbers of services, or their cut-off."""


def spared(moment: str, of: Of = None) -> Q:
    """The condition that no cut-off is later than this moment of a row.

    Where the services are known no table is joined: the few clients with a cut-off are read once,
    and only rows of theirs are compared with it. A database compares thousands of rows in half the
    time; and in less where the cut-off is known.
    """
    if isinstance(of, Known):
        return Q() if of.cut_off is None else Q(**{f"{moment}__gte": of.cut_off})
    found = Q()
    for condition in _joined(moment) if of is None else _read_once(moment, list(of)):
        found &= condition
    return found


def known_of(target: Service | Client) -> Of:
    """The cut-off of a client, or of a service none of whose clients has one. 1 query for a
    service.
    """
    if isinstance(target, Client):
        return Known(target.service.latest_cut_off(target))
    clients = Client.objects.filter(service=target, not_before__isnull=False)
    return [target.pk] if clients.exists() else Known(target.not_before)


def _joined(moment: str) -> Iterator[Q]:
    for owner in _OWNERS:
        # SQL compares NULL neither as true nor as false: a missing cut-off has its own test.
        cut_off = f"{owner}__not_before"
        yield Q(**{cut_off: None}) | Q(**{f"{moment}__gte": F(cut_off)})


def _read_once(moment: str, services: list[int]) -> Iterator[Q]:
    clients: Any = Client.objects.filter(not_before__isnull=False)
    # A statement names the service of each table: also beside the key of the row's own client.
    own = clients.filter(pk=OuterRef("client_id"), service=OuterRef("service_id"))
    yield _never_or_before("client_id", clients.filter(service__in=services), own, moment)
    known: Any = Service.objects.filter(not_before__isnull=False)
    own = known.filter(pk=OuterRef("service_id"))
    yield _never_or_before("service_id", known.filter(pk__in=services), own, moment)


def _never_or_before(column: str, cut_off: Any, own: Any, moment: str) -> Q:
    """The owner was never cut off, or its cut-off is not later than the moment."""
    after = Q(**{f"{moment}__gte": Subquery(own.values("not_before"))})
    return ~Q(**{f"{column}__in": cut_off.values("pk")}) | after
