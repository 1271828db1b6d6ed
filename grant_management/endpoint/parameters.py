"""The parameters that each call must have."""

from ..protocol.results import GMAction, Refused, Result
from .access_token import SCOPES
from .context import Context


def check_action(context: Context) -> None:
    """Set the action. Refused: `gmAction` is missing, or is neither QUERY nor REVOKE.

    The other actions belong to authorization requests (draft §5.2), and get a message of their own.
    """
    name = context.request.gm_action
    if not name:
        raise Refused(Result.GM_ACTION_MISSING)
    if name not in GMAction.__members__:
        raise Refused(Result.GM_ACTION_UNKNOWN)
    context.action = GMAction(name)
    if context.action not in SCOPES:
        raise Refused(Result.GM_ACTION_NOT_HERE)


def check_grant_id(context: Context) -> None:
    """Refuse a call without `grantId`."""
    if not context.request.grant_id:
        raise Refused(Result.GRANT_ID_MISSING)


def check_access_token(context: Context) -> None:
    """Refuse a call without `accessToken`."""
    if not context.request.access_token:
        raise Refused(Result.ACCESS_TOKEN_MISSING)
