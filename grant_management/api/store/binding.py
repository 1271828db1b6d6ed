"""Verifies the sender constraint of a token for callers of the store."""

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
    """Verify the certificate and the DPoP proof, each where the token is bound to one.

    `values` has the members of `PROOF`, and `token` for an access token. Sets `dpopNonce` in
    `answer` where a nonce is required, also when it refuses. Refused: the certificate or the proof
    is missing, not valid, or of another key than the token's.
    """
    is_access = isinstance(token, AccessToken)
    # A refresh token comes in a token request: always a POST (RFC 6749 §3.2), and without `ath`.
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
    """The `action` with which Authlete's introspection reports this refusal."""
    forbidden = (Result.SCOPE_MISSING, Result.TOKEN_OF_OTHER_SUBJECT)
    if refusal.result in forbidden:
        return "FORBIDDEN"
    return "BAD_REQUEST" if refusal.result is Result.HTU_UNKNOWN else "UNAUTHORIZED"
