"""Revokes tokens without their grants. One event records all tokens of a call."""

from collections.abc import Sequence
from typing import Any

from ..db import clock, primary
from ..db.retry import retried
from .event import Actor, EventKind, GrantEvent
from .locks import hold_clients, hold_token
from .service import Service
from .token import AccessToken, RefreshToken, TokenQuerySet


@retried
def revoke_tokens(
    service: Service, kinds: Sequence[TokenQuerySet[Any]], actor: Actor, **about: Any
) -> int:
    """Revoke the tokens of some query sets; how many this call revoked.

    `about` are columns of the event, which tell what was meant. The clients are locked exclusively,
    so that a concurrent refresh leaves no new token behind.
    """
    with primary.atomic():
        clients = {key for rows in kinds for key in _clients(rows)}
        now = hold_clients(service, clients)
        count = sum(rows.revoke([service.pk], now) for rows in kinds)
        if count:
            _record(service, actor, now, count, about)
    return count


@retried
def revoke_token(token: AccessToken | RefreshToken, actor: Actor) -> int:
    """Revoke one token (RFC 7009 §2.1); how many tokens this call revoked.

    A refresh token is revoked with its family, since the client may be refreshing at that moment.
    """
    with primary.atomic():
        if isinstance(token, RefreshToken):
            try:
                held, now = hold_token(token)
            except RefreshToken.DoesNotExist:  # purged
                return 0
            count = held.relatives().revoke([held.service_id], now)
        else:
            now = clock.now()
            rows = AccessToken.objects.filter(service=token.service, pk=token.pk)
            count = rows.revoke([token.service_id], now)
        if count:
            about = {"client_id": token.client.client_id, "subject": token.subject}
            grant = {"grant_id": token.grant.grant_id} if token.grant else {}
            _record(token.service, actor, now, count, about | grant)
    return count


def _clients(rows: TokenQuerySet[Any]) -> list[int]:
    alive = rows.filter(revoked_at=None).order_by()
    return list(alive.values_list("client_id", flat=True).distinct())


def _record(service: Service, actor: Actor, now: Any, count: int, about: dict[str, Any]) -> None:
    kind, details = EventKind.TOKENS_REVOKED, {"count": count}
    GrantEvent.objects.record(kind, service.pk, at=now, actor=actor, details=details, **about)
