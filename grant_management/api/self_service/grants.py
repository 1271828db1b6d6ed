"""A person's own grants as JSON: with the stored members, and in plain words."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from django.urls import reverse

from ...fields import members as m
from ...models import Grant, SelfServiceToken, Service
from ...models.plain_words import ClientWords, Permission, PlainWords, names_in, of_clients
from ...protocol import times, uris
from ...protocol.results import Refused, Result
from ..store.answer import Answer, compact
from ..store.grants import show_content

LIST: Final = (m.LIMIT_IN_QUERY, m.CURSOR, m.STATUS)
TOLD: Final = ("name", "language", "site", "contact", "terms")


def find(token: SelfServiceToken, service: Service, grant_id: str) -> Grant:
    """The person's grant of this ID. Refused: they have none."""
    rows = Grant.objects.of_person(service, token.subject)
    grant = rows.filter(grant_id=grant_id).first() if uris.is_grant_id(grant_id) else None
    if grant is None:
        raise Refused(Result.SELF_SERVICE_GRANT_UNKNOWN)
    grant.know(service, grant.client)
    return grant


def show_all(
    service: Service, grants: Sequence[Grant], preferred: Sequence[str], now: datetime
) -> list[Answer]:
    """The members of each grant; times are milliseconds, absent ones are left out. 3 queries."""
    words = PlainWords(service, names_in(grants), preferred)
    clients = of_clients((grant.client for grant in grants), preferred)
    return [
        _show(grant, clients[grant.client.pk], words.of(grant), service, now) for grant in grants
    ]


def _show(
    grant: Grant,
    client: ClientWords,
    permissions: Iterable[Permission],
    service: Service,
    now: datetime,
) -> Answer:
    stamps = {
        "createdAt": grant.created_at,
        "lastUpdatedAt": grant.last_updated_at,
        "lastUsedAt": grant.last_used_at,
        "expiresAt": grant.expires_at,
        "revokedAt": grant.revoked_at,
    }
    return compact(
        {
            "grantId": grant.grant_id,
            "client": _show_client(grant, client, service),
            "status": grant.status(now).value,
            "locked": grant.client.locked_at is not None,
            "permissions": [_show_permission(one) for one in permissions],
            **show_content(grant),
            **{name: times.to_milliseconds(at) for name, at in stamps.items() if at},
        }
    )


def _show_client(grant: Grant, client: ClientWords, service: Service) -> Answer:
    parts = {name: getattr(client, name) for name in TOLD}
    logo = client.logo and reverse("grant_management:logo", args=[service.pk, client.logo])
    return compact({"clientIdentifier": grant.client.client_id, **parts, "logo": logo})


def _show_permission(permission: Permission) -> Answer:
    named: dict[str, Any] = {
        "scope" if permission.kind == "scope" else "authorizationType": permission.value,
        "name": permission.name,
        "sentence": permission.sentence,
        "sensitivity": permission.sensitivity,
        "language": permission.language,
        "resources": list(permission.resources),
    }
    return compact(named)
