"""What binds a token, verified for callers of the store; and what they are told."""

from datetime import datetime

from ...endpoint import sender_constraint
from ...endpoint.context import Context, run_steps
from ...endpoint.messages import GMRequest
from ...models import AccessToken, RefreshToken
from ...protocol.results import Refused, Result
from .answer import Answer
from .request import Values


def verify_binding(
    token: AccessToken | RefreshToken, values: Values, now: datetime, answer: Answer
) -> None:
    """Puts the nonce to hand on into the answer, which may be a refusal.

    Refused: the certificate or the proof is not the token's.
    """
    is_access = isinstance(token, AccessToken)
    request = GMRequest(
        access_token=values["token"] if is_access else "",
        client_certificate=values.get("clientCertificate", ""),
        dpop=values.get("dpop", ""),
        htm=values.get("htm", "") or ("GET" if is_access else "POST"),
        htu=values.get("htu", ""),
        dpop_nonce_required=values.get("dpopNonceRequired", False),
    )
    context = Context(token.service, request, now)
    context.token = token
    try:
        run_steps(sender_constraint.STEPS, context)
    finally:
        if context.nonces is not None:
            answer["dpopNonce"] = context.nonces.current


def action_of(refusal: Refused) -> str:
    """The action of Authlete's introspection that a refusal is."""
    forbidden = (Result.SCOPE_MISSING, Result.TOKEN_OF_OTHER_SUBJECT)
    if refusal.result in forbidden:
        return "FORBIDDEN"
    return "BAD_REQUEST" if refusal.result is Result.HTU_UNKNOWN else "UNAUTHORIZED"
