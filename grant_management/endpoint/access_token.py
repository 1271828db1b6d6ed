"""The access token: which it is, whether it is alive, whether it has the scope."""

from datetime import datetime
from typing import Final

from ..models import AccessToken, Service, TokenStatus
from ..protocol.results import GMAction, Refused, Result
from ..signals import token_presented

SCOPES: Final = {
    GMAction.QUERY: "grant_management_query",
    GMAction.REVOKE: "grant_management_revoke",
}
"""What a token needs for each action (draft §6.2)."""

_REFUSALS = {
    TokenStatus.EXPIRED: Result.ACCESS_TOKEN_EXPIRED,
    TokenStatus.REVOKED: Result.ACCESS_TOKEN_REVOKED,
    TokenStatus.GRANT_DEAD: Result.TOKEN_GRANT_DEAD,
    TokenStatus.SUPERSEDED: Result.TOKEN_GRANT_DEAD,
    TokenStatus.CLIENT_LOCKED: Result.CLIENT_LOCKED,
}


def find_access_token(
    service: Service, value: str, known: AccessToken | None = None
) -> AccessToken:
    """The access token that the client presented: 1 query, or none where it is `known`."""
    if not value:
        raise Refused(Result.ACCESS_TOKEN_MISSING)
    if known is not None:
        token_presented.send(sender=AccessToken, token=known, value=value)
        return known
    try:
        return AccessToken.objects.presented(service, value)
    except AccessToken.DoesNotExist:
        raise Refused(Result.ACCESS_TOKEN_UNKNOWN) from None


def check_active(token: AccessToken, now: datetime) -> None:
    """Refused unless the token, its grant and its client are alive."""
    status = token.status(now)
    if status is not TokenStatus.ACTIVE:
        raise Refused(_REFUSALS[status])


def check_scope(token: AccessToken, action: GMAction) -> None:
    """Refused unless the token has the scope of the action (RFC 6750 §3.1)."""
    needed = SCOPES[action]
    if needed not in token.scopes.split(" "):
        raise Refused(Result.SCOPE_MISSING, f"'{needed}'.")
