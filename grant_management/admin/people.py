"""The list of people: those of the newest grants, or, at one service, all of them by subject.

There is no table of people. The next page begins behind a grant, so no subject is in a URL.
"""

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, Final
from uuid import UUID

from django.db.models import Exists, Max, OuterRef, Q
from django.http import HttpRequest

from ..db.keyset import Cursor, Merged, Ordered, Rows, page_of
from ..db.of_service import at_services
from ..models import Grant
from ..models.grant import CONTENT

BY_SUBJECT: Final = "subject"
"""The value of `sort` in a query that asks for the order by subject."""
SIZE: Final = 50
"""People of a page by subject, at most."""
_NEWEST: Final = ("-created_at", "-pk")


@dataclass(frozen=True)
class People:
    """A page: the newest grant of each person, and the cursors of its neighbours ("": none)."""

    grants: list[Grant]
    next: str
    previous: str


def newest(rows: Rows, services: list[int], request: HttpRequest) -> People:
    """The people of a page of grants, the newest first. A person stands where the newest grant is,
    so a page has fewer people than grants. For one service 4 queries.
    """
    page = page_of(_ordered(rows, services), Cursor.read(Grant, _NEWEST, request.GET), None)
    same = Grant.objects.filter(service=OuterRef("service"), subject=OuterRef("subject"))
    newer = same.filter(created_at__gt=OuterRef("created_at"))
    of_that_moment = same.filter(created_at=OuterRef("created_at"), pk__gt=OuterRef("pk"))
    keys = [grant.pk for grant in page.rows if grant.subject is not None]
    here = Grant.objects.filter(at_services(services), pk__in=keys)
    first = here.filter(~Exists(newer), ~Exists(of_that_moment))
    shown = set(first.values_list("pk", flat=True))
    grants = [grant for grant in page.rows if grant.pk in shown]
    return People(grants, page.next, page.previous)


def _ordered(rows: Rows, services: list[int]) -> Ordered:
    own = rows.filter(service__in=services)
    if len(services) > 1:
        return Merged(own, _NEWEST, _to_people, tuple(services))
    return Ordered(own, _NEWEST, _to_people, tuple(services))


def _to_people(grants: Rows) -> Rows:
    return grants.select_related("service", "client").defer(*CONTENT)


def by_subject(rows: Rows, service: int, request: HttpRequest) -> People:
    """The people of a service in the order of their subjects. 3 queries."""
    backwards = "before" in request.GET
    own = rows.filter(service=service).exclude(subject=None)
    behind = _subject_of(own, request.GET.get("before" if backwards else "after", ""))
    than = "subject__lt" if backwards else "subject__gt"
    ahead = own if behind is None else own.filter(**{than: behind})
    order = "-subject" if backwards else "subject"
    found = list(ahead.values("subject").annotate(at=Max("created_at")).order_by(order)[: SIZE + 1])
    grants = _newest_of(own, found[:SIZE])
    if backwards:
        grants.reverse()
    first, last = (str(grants[0].pk), str(grants[-1].pk)) if grants else ("", "")
    is_more, is_behind = len(found) > SIZE, behind is not None
    has_next, has_previous = (is_behind, is_more) if backwards else (is_more, is_behind)
    return People(grants, last if has_next else "", first if has_previous else "")


def _subject_of(rows: Rows, cursor: str) -> str | None:
    """The subject of the grant with this key; None: there is none, so the list begins anew."""
    try:
        key = UUID(cursor)
    except ValueError:
        return None
    found: str | None = rows.filter(pk=key).values_list("subject", flat=True).first()
    return found


def _newest_of(rows: Rows, people: list[Any]) -> list[Grant]:
    """The newest grant of each of these people, in their order."""
    if not people:
        return []
    which = [Q(subject=one["subject"], created_at=one["at"]) for one in people]
    found = _to_people(rows.filter(reduce(or_, which))).order_by("pk")
    newest = {grant.subject: grant for grant in found}
    return [newest[one["subject"]] for one in people if one["subject"] in newest]
