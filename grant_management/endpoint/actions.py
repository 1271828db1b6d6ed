"""The steps about the grant: find it, check its owner, query or revoke it."""

from datetime import datetime

from ..models import Actor, Grant, GrantStatus, Ownership, Reason
from ..models.token import Token
from ..protocol.results import GMAction, Refused, Result
from .access_token import check_active
from .context import Context

BY_CLIENT = Reason("requested by client")


def find_grant(context: Context) -> None:
    """Set the grant: at most 1 query, none where it is the token's own.

    Refused: the service has no such grant, or it is not active. The message is the same.
    """
    token, grant_id = context.token, context.request.grant_id
    try:
        grant = _own(token, grant_id) or Grant.objects.known(context.service, grant_id)
    except Grant.DoesNotExist:
        raise Refused(Result.GRANT_NOT_FOUND) from None
    _check_alive(grant, context.now)
    context.grant = grant


def check_owner(context: Context) -> None:
    """Refuse a token whose client or subject is not that of the grant.

    The subject does not matter where the service's `ownership` is `client`, or where the token has
    no subject (client credentials).
    """
    token, grant = context.token, context.grant
    if grant.client_id != token.client_id:
        raise Refused(Result.GRANT_OF_OTHER_CLIENT)
    if context.service.ownership == Ownership.CLIENT or token.subject is None:
        return
    if grant.subject != token.subject:
        raise Refused(Result.GRANT_OF_OTHER_SUBJECT)


def perform(context: Context) -> None:
    """Query or revoke the grant: set the result, and for QUERY the content (draft §6.4, §6.5).

    Refused: the token or the grant stopped being active before the revoke.
    """
    if context.action is GMAction.QUERY:
        context.result, context.content = Result.QUERIED, context.grant.content()
        return
    if not context.rehearse:
        _revoke(context.token, context.grant)
    context.result = Result.REVOKED


def _revoke(token: Token, grant: Grant) -> None:
    """Revoke the grant. Under its lock the token and the grant are checked once more.

    A replace or another revoke may have come between the first check and the lock.
    """

    def judge(held: Grant, now: datetime) -> None:
        # `check_active` reads the token's grant, which must be the row as it is under the lock.
        if token.grant_id == held.pk:
            token.know(held.service, held.client, held)
        check_active(token, now)
        _check_alive(held, now)

    if not grant.revoke(Actor.client(token.client.client_id), BY_CLIENT, judge):
        raise Refused(Result.GRANT_NOT_FOUND)


def _check_alive(grant: Grant, now: datetime) -> None:
    if grant.status(now) is not GrantStatus.ACTIVE:
        raise Refused(Result.GRANT_NOT_FOUND)


def _own(token: Token, grant_id: str) -> Grant | None:
    own = token.grant
    return own if own is not None and own.grant_id == grant_id else None
