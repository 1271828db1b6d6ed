"""A call of the grant management API: its steps in order, and its answer."""

from typing import Final

from ..protocol.marked import marked as _
from ..protocol.results import Refused, Result
from . import access_token, actions, parameters, sender_constraint
from .access_token import SCOPES
from .challenge import challenge_by
from .context import Context, Step, run_steps
from .messages import GMResponse

R, of = Result, frozenset
STEPS: Final = (
    Step(_("gmAction is QUERY or REVOKE"), parameters.check_action, of({R.GM_ACTION_MISSING, R.GM_ACTION_UNKNOWN, R.GM_ACTION_NOT_HERE})),
    Step(_("grantId is present"), parameters.check_grant_id, of({R.GRANT_ID_MISSING})),
    Step(_("accessToken is present"), parameters.check_access_token, of({R.ACCESS_TOKEN_MISSING})),
    Step(_("The service knows the access token"), access_token.find, of({R.ACCESS_TOKEN_UNKNOWN})),
    Step("The token, its grant and its client are alive", access_token.check_alive, of({R.ACCESS_TOKEN_EXPIRED, R.ACCESS_TOKEN_REVOKED, R.TOKEN_GRANT_DEAD, R.CLIENT_LOCKED})),
    *sender_constraint.STEPS,
    Step(_("The token has the scope of the action"), access_token.check_scope, of({R.SCOPE_MISSING})),
    Step(_("The grant exists and is active"), actions.find_grant, of({R.GRANT_NOT_FOUND})),
    Step(_("The grant belongs to the token's client and subject"), actions.check_owner, of({R.GRANT_OF_OTHER_CLIENT, R.GRANT_OF_OTHER_SUBJECT})),
    Step("", actions.perform),
)  # fmt: skip
"""The order is part of the contract: the token and its binding are checked before anything about
the grant, so that nobody can probe grant IDs."""


def process(context: Context) -> GMResponse:
    """The answer to a call: its result, or the refusal of the step that ended it."""
    try:
        run_steps(STEPS, context)
        return _answer(context, context.result, context.result.message(), context.content)
    except Refused as refusal:
        return _answer(context, refusal.result, refusal.message, _challenge(context, refusal))


def _answer(context: Context, result: Result, message: str, content: str | None) -> GMResponse:
    """The answer, with the nonce to use next on success and on refusal alike (RFC 9449 §8.2)."""
    nonce = context.nonces.current if context.nonces else None
    return GMResponse(result, message, content, nonce)


def _challenge(context: Context, refusal: Refused) -> str:
    scope = SCOPES[context.action] if refusal.result is Result.SCOPE_MISSING else ""
    return challenge_by(context.service, refusal, context.presented, scope)
