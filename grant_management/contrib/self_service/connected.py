"""The apps that have access, or had it: one for each client that holds grants of the person."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, Max, Min, Q

from grant_management.db.any_of import any_of
from grant_management.models import Client, Grant, GrantStatus
from grant_management.models.grant import status_condition
from grant_management.models.plain_words import (
    ClientWords,
    Permission,
    PlainWords,
    names_in,
    of_clients,
    rank,
)

from .person import Person

READ: Final = 200
"""Grants whose contents a list reads, at most."""
AT_ONCE: Final = 50
"""Grants of one query."""
READ_SIZE: Final = 2 * 1_048_576
"""Characters of contents after which a list reads no more."""
LISTED: Final = 6
"""Permissions of an app that a list shows, at most."""


@dataclass(frozen=True)
class App:
    """An app with its access. Times are None where there is none, or it is not known.

    `until` None: until it is removed. `permissions` are some of those that it has, `more` says
    whether there are others.
    """

    client: Client
    words: ClientWords
    grants: int
    since: datetime | None
    until: datetime | None
    last_used: datetime | None
    permissions: Sequence[Permission]
    more: bool


def clients_with_access(person: Person, now: datetime, *, ended: bool = False) -> Any:
    """A query set of dicts, one for each client, the newest grant's first.

    `ended`: the clients that have no active grant any more. It reads all grants of the person.
    """
    active = status_condition(GrantStatus.ACTIVE, now)
    endless = active & Q(expires_at=None)
    rows = Grant.objects.of_person(*person).select_related(None).order_by().values("client")
    found = rows.annotate(
        newest=Max("created_at"),
        grants=Count("pk", filter=active),
        since=Min("created_at", filter=active),
        last_used=Max("last_used_at"),
        endless=Count("pk", filter=endless),
        ends=Max("expires_at", filter=active),
    )
    found = found.filter(grants=0) if ended else found.filter(grants__gt=0)
    return found.order_by("-newest", "client")


def apps_of(
    person: Person, found: Sequence[Mapping[str, Any]], now: datetime, preferred: Sequence[str]
) -> list[App]:
    """The apps of rows of `clients_with_access`: at most 8 queries, however many they are."""
    keys = [row["client"] for row in found]
    clients = (
        Client.objects.filter(any_of("pk", keys), service=person.service).in_bulk() if keys else {}
    )
    grants = _grants_of(person, keys, now)
    words = PlainWords(person.service, names_in(grants), preferred)
    named = of_clients(clients.values(), preferred)
    return [_app(row, clients[row["client"]], named[row["client"]], grants, words) for row in found]


def _grants_of(person: Person, keys: Sequence[int], now: datetime) -> list[Grant]:
    if not keys:
        return []
    rows = Grant.objects.of_person(*person).with_status(GrantStatus.ACTIVE, now)
    rows = rows.with_content("scopes", "authorization_details").filter(any_of("client", keys))
    rows = rows.order_by("-created_at", "-pk")
    grants: list[Grant] = []
    size = 0
    # Not by a cursor of the database, which a pooler may lose.
    for start in range(0, READ, AT_ONCE):
        found = list(rows[start : start + AT_ONCE])
        grants += found
        size += sum(len(grant.scopes) + len(grant.authorization_details) for grant in found)
        if len(found) < AT_ONCE or size >= READ_SIZE:
            break
    return grants


def _app(
    row: Mapping[str, Any],
    client: Client,
    named: ClientWords,
    grants: Iterable[Grant],
    words: PlainWords,
) -> App:
    held = [grant for grant in grants if grant.client_id == client.pk]
    permissions = {(one.kind, one.value): one for grant in held for one in words.of(grant)}
    listed = sorted(permissions.values(), key=rank)
    return App(
        client=client,
        words=named,
        grants=row["grants"],
        since=row["since"],
        until=None if row["endless"] else row["ends"],
        last_used=row["last_used"],
        permissions=listed[:LISTED],
        more=len(listed) > LISTED or len(held) < row["grants"],
    )
