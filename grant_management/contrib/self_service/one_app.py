"""One app: each grant that it holds, and what removing its access stops."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max
from django.http import Http404
from django.utils.safestring import SafeString

from grant_management.db.any_of import any_of
from grant_management.fields.members import MAX_ID
from grant_management.models import AccessToken, Client, Grant, GrantStatus, Reason, RefreshToken
from grant_management.models.event import Actor
from grant_management.models.plain_words import Permission, PlainWords
from grant_management.models.token_revocation import revoke_tokens
from grant_management.protocol import strict_json

from .details import as_lists, as_text
from .person import Person

BY_PERSON = Reason("requested by user")
"""The reason in the events, as operators know it."""
DRAWN = 32_768
"""Characters of a grant's authorization details that are drawn as lists, which takes time."""


@dataclass(frozen=True)
class Held:
    """One grant as its section shows it. `permissions` come with the members of their details."""

    grant: Grant
    status: GrantStatus
    permissions: Sequence[tuple[Permission, SafeString]]
    claims: Sequence[str]


def client_of(person: Person, number: int) -> Client:
    """The client of this number. Http404: the person never gave it anything, or it is deleted."""
    rows = grants_of(person, number) if number <= MAX_ID else Grant.objects.none()
    grant = rows.with_content().first()
    if grant is None:
        raise Http404
    client: Client = grant.client
    client.service = person.service
    return client


def grants_of(person: Person, number: int) -> Any:
    """The query set of the grants that the client of this number holds, newest first."""
    rows = Grant.objects.of_person(*person).filter(client=number)
    return rows.order_by("-created_at", "-pk")


def held(person: Person, grant: Grant, words: PlainWords, now: datetime) -> Held:
    """A grant with what it allows, in plain words."""
    grant.know(person.service, grant.client)
    draw = as_lists if len(grant.authorization_details) <= DRAWN else as_text
    permissions = [
        (one, draw(one.detail) if one.detail else SafeString()) for one in words.of(grant)
    ]
    return Held(grant, grant.status(now), permissions, strict_json.stored(grant.claims or "[]"))


def active_grants(person: Person, client: Client, now: datetime) -> Any:
    """The query set of the grants that removing its access stops."""
    return grants_of(person, client.pk).with_status(GrantStatus.ACTIVE, now)


def outliving(person: Person, client: Client, now: datetime) -> datetime | None:
    """When the last access token that survives a revoke ends; None: all stop at once (draft §6.5).

    Where tokens survive, they do by the service's setting.
    """
    if person.service.revoke_access_tokens:
        return None
    keys = list(active_grants(person, client, now).values_list("pk", flat=True))
    if not keys:
        return None
    rows = AccessToken.objects.filter(service=person.service, revoked_at=None, expires_at__gt=now)
    found = rows.filter(any_of("grant", keys)).aggregate(at=Max("expires_at"))
    last: datetime | None = found["at"]
    return last


def remove_access(person: Person, client: Client) -> None:
    """Revoke every grant that the client holds of the person, also one that waits for its first
    token; and their tokens that hang on no grant.
    """
    actor = Actor.subject(person.subject)
    rows = Grant.objects.filter(service=person.service, subject=person.subject, client=client)
    for grant in rows.filter(revoked_at=None).with_content().order_by("pk"):
        grant.know(person.service, client)
        grant.revoke(actor, BY_PERSON)
    loose: list[Any] = [
        model._default_manager.filter(
            service=person.service, client=client, subject=person.subject, grant=None
        )
        for model in (AccessToken, RefreshToken)
    ]
    about = {"client_id": client.client_id, "subject": person.subject}
    revoke_tokens(person.service, loose, actor, **about)
