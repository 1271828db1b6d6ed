"""The steps about the access token: find it, check that it is active, check its scope."""

from datetime import datetime
from typing import Final

from ..models import AccessToken, Service, TokenStatus
from ..models.token import Token
from ..protocol.results import GMAction, Refused, Result
from ..signals import token_presented
from .context import Context

SCOPES: Final = {
    GMAction.QUERY: "grant_management_query",
    GMAction.REVOKE: "grant_management_revoke",
}
"""The scope that a token needs for each action (draft §6.1)."""

_REFUSALS = {
    TokenStatus.EXPIRED: Result.ACCESS_TOKEN_EXPIRED,
    TokenStatus.REVOKED: Result.ACCESS_TOKEN_REVOKED,
    TokenStatus.GRANT_DEAD: Result.TOKEN_GRANT_DEAD,
    TokenStatus.SUPERSEDED: Result.TOKEN_GRANT_DEAD,
    TokenStatus.CLIENT_LOCKED: Result.CLIENT_LOCKED,
}


def find(context: Context) -> None:
    """Set the token: 1 query, or none where it was found together with the caller.

    Refused: the service has no such token.
    """
    if context.known is None:
        context.token = find_access_token(context.service, context.request.access_token)
        return
    context.token, value = context.known, context.request.access_token
    # The query that finds a token by itself sends this signal too.
    token_presented.send(sender=AccessToken, token=context.token, value=value)


def check_alive(context: Context) -> None:
    """Refuse a token that is not active, or whose grant or client is not."""
    check_active(context.token, context.now)


def check_scope(context: Context) -> None:
    """Refuse a token that lacks the scope of the action (RFC 6750 §3.1)."""
    needed = SCOPES[context.action]
    if needed not in context.token.scopes.split(" "):
        raise Refused(Result.SCOPE_MISSING, f"'{needed}'.")


def find_access_token(service: Service, value: str) -> AccessToken:
    """The service's access token of this value, active or not: 1 query. Refused: there is none."""
    try:
        return AccessToken.objects.presented(service, value)
    except AccessToken.DoesNotExist:
        raise Refused(Result.ACCESS_TOKEN_UNKNOWN) from None


def check_active(token: Token, now: datetime) -> None:
    """Raise Refused if the token, its grant or its client is not active at the time `now`."""
    status = token.status(now)
    if status is not TokenStatus.ACTIVE:
        raise Refused(_REFUSALS[status])
