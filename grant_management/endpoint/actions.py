"""What a call can do to a grant: query it, revoke it."""

from datetime import datetime

from ..models import Actor, Grant, GrantStatus, Ownership, Reason
from ..models.token import Token
from ..protocol.results import GMAction, Refused, Result
from .access_token import check_active
from .context import Context

BY_CLIENT = Reason("requested by client")


def find_grant(context: Context) -> None:
    """The grant is there, and alive: at most 1 query, none where it is the token's own."""
    token, grant_id = context.token, context.request.grant_id
    try:
        grant = _own(token, grant_id) or Grant.objects.known(context.service, grant_id)
    except Grant.DoesNotExist:
        raise Refused(Result.GRANT_NOT_FOUND) from None
    _check_alive(grant, context.now)
    context.grant = grant


def check_owner(context: Context) -> None:
    """The grant is the token's client's; and, unless the service says otherwise, its subject's.

    A token without a subject (client credentials) may manage every grant of its client.
    """
    token, grant = context.token, context.grant
    if grant.client_id != token.client_id:
        raise Refused(Result.GRANT_OF_OTHER_CLIENT)
    if context.service.ownership == Ownership.CLIENT or token.subject is None:
        return
    if grant.subject != token.subject:
        raise Refused(Result.GRANT_OF_OTHER_SUBJECT)


def perform(context: Context) -> None:
    """Sets the result, and the grant's content where it was queried (draft §6.4, §6.5)."""
    if context.action is GMAction.QUERY:
        context.result, context.content = Result.QUERIED, context.grant.content()
        return
    if not context.rehearse:
        _revoke(context.token, context.grant)
    context.result = Result.REVOKED


def _revoke(token: Token, grant: Grant) -> None:
    """Judged again under the grant's lock: a replace may have come between, or another revoke."""

    def judge(held: Grant, now: datetime) -> None:
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
