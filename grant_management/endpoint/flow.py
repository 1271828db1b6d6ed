"""The story of a call, from top to bottom."""

from datetime import datetime

from ..models import AccessToken, Nonces, Service
from ..models.token import Token
from ..protocol.challenge import challenge, challenges_without_error
from ..protocol.results import GMAction, Refused, Result
from .access_token import SCOPES, check_active, check_scope, find_access_token
from .actions import perform
from .messages import GMRequest, GMResponse
from .sender_constraint import required_nonces, verify_certificate, verify_key


def process_request(
    service: Service,
    request: GMRequest,
    now: datetime,
    known: AccessToken | None = None,
    *,
    rehearse: bool = False,
) -> GMResponse:
    """The answer to a call; `known` is its access token, where it was found already. `rehearse`:
    what the answer would be; no grant is revoked.

    The order of the steps is part of the contract: the token and what binds it come before
    anything about the grant, so that nobody can probe grant IDs.
    """
    token: AccessToken | None = None
    nonces: Nonces | None = None
    try:
        action = _check_parameters(request)
        token = find_access_token(service, request.access_token, known)
        check_active(token, now)
        nonces = required_nonces(service, token, request, now)
        verify_certificate(token, request)
        verify_key(token, action, request, nonces, now)
        check_scope(token, action)
        result, content = perform(token, action, request.grant_id, now, rehearse=rehearse)
        return GMResponse(result, result.message(), content, _handed_out(nonces))
    except Refused as refusal:
        content = challenge_of(refusal, service, token, _missing_scope(refusal, request))
        return GMResponse(refusal.result, refusal.message, content, _handed_out(nonces))


def _check_parameters(request: GMRequest) -> GMAction:
    if not request.gm_action:
        raise Refused(Result.GM_ACTION_MISSING)
    if request.gm_action not in GMAction.__members__:
        raise Refused(Result.GM_ACTION_UNKNOWN)
    action = GMAction(request.gm_action)
    if action not in SCOPES:
        raise Refused(Result.GM_ACTION_NOT_HERE)
    if not request.grant_id:
        raise Refused(Result.GRANT_ID_MISSING)
    return action


def _handed_out(nonces: Nonces | None) -> str | None:
    return nonces.current if nonces else None


def _missing_scope(refusal: Refused, request: GMRequest) -> str:
    missing = refusal.result is Result.SCOPE_MISSING
    return SCOPES[GMAction(request.gm_action)] if missing else ""


def challenge_of(refusal: Refused, service: Service, token: Token | None, scope: str = "") -> str:
    """What the authorization server sends as `WWW-Authenticate`."""
    result = refusal.result
    if result.error is None:
        return challenges_without_error(service.realm or service.name, service.dpop_signing_algs)
    algs = service.dpop_signing_algs if token is not None and token.jkt else ()
    return challenge(result.error, refusal.message, scope=scope, dpop_algs=algs)
