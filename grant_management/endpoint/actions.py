"""What a call can do to a grant: query it, revoke it."""

from datetime import datetime

from ..models import AccessToken, Actor, Grant, GrantStatus, Ownership, Reason
from ..protocol.results import GMAction, Refused, Result
from .access_token import check_active

BY_CLIENT = Reason("requested by client")


def perform(
    token: AccessToken, action: GMAction, grant_id: str, now: datetime, *, rehearse: bool = False
) -> tuple[Result, str | None]:
    """The result, and the grant's content where it was queried.

    At most 1 query for the grant: none where it is the token's own. `rehearse`: the result of a
    REVOKE, which is not done.
    """
    grant = _find(token, grant_id, now)
    _check_ownership(token, grant)
    if action is GMAction.QUERY:
        return Result.QUERIED, grant.content()
    if not rehearse:
        _revoke(token, grant)
    return Result.REVOKED, None


def _revoke(token: AccessToken, grant: Grant) -> None:
    """Judged again under the grant's lock: a replace may have come between, or another revoke."""

    def judge(held: Grant, now: datetime) -> None:
        if token.grant_id == held.pk:
            token.know(held.service, held.client, held)
        check_active(token, now)
        _check_there(held, now)

    if not grant.revoke(Actor.client(token.client.client_id), BY_CLIENT, judge):
        raise Refused(Result.GRANT_NOT_FOUND)


def _find(token: AccessToken, grant_id: str, now: datetime) -> Grant:
    try:
        grant = _own(token, grant_id) or Grant.objects.known(token.service, grant_id)
    except Grant.DoesNotExist:
        raise Refused(Result.GRANT_NOT_FOUND) from None
    _check_there(grant, now)
    return grant


def _check_there(grant: Grant, now: datetime) -> None:
    if grant.status(now) is not GrantStatus.ACTIVE:
        raise Refused(Result.GRANT_NOT_FOUND)


def _own(token: AccessToken, grant_id: str) -> Grant | None:
    own = token.grant
    return own if own is not None and own.grant_id == grant_id else None


def _check_ownership(token: AccessToken, grant: Grant) -> None:
    """The grant is the token's client's; and, unless the service says otherwise, its subject's.

    A token without a subject (client credentials) may manage every grant of its client.
    """
    if grant.client_id != token.client_id:
        raise Refused(Result.GRANT_OF_OTHER_CLIENT)
    if token.service.ownership == Ownership.CLIENT or token.subject is None:
        return
    if grant.subject != token.subject:
        raise Refused(Result.GRANT_OF_OTHER_SUBJECT)
