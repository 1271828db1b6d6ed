"""What binds a token, verified for callers of the store; and what they are told."""

from datetime import datetime
from typing import Any

from ...endpoint.messages import GMRequest
from ...endpoint.sender_constraint import required_nonces, verify_certificate, verify_key
from ...models import AccessToken, RefreshToken
from ...protocol.results import GMAction, Refused, Result
from .reading import Answer


def verify_binding(
    token: AccessToken | RefreshToken, values: dict[str, Any], now: datetime, answer: Answer
) -> None:
    """Puts the nonce to hand on into the answer, which may be a refusal.

    Refused: the certificate or the proof is not the token's.
    """
    is_access = isinstance(token, AccessToken)
    call = GMRequest(
        access_token=values["token"] if is_access else "",
        client_certificate=values.get("clientCertificate", ""),
        dpop=values.get("dpop", ""),
        htm=values.get("htm", "") or ("GET" if is_access else "POST"),
        htu=values.get("htu", ""),
        dpop_nonce_required=values.get("dpopNonceRequired", False),
    )
    nonces = required_nonces(token.service, token, call, now)
    if nonces is not None:
        answer["dpopNonce"] = nonces.current
    verify_certificate(token, call)
    if token.jkt and call.dpop and not call.htu:
        raise Refused(Result.HTU_UNKNOWN)
    verify_key(token, GMAction.QUERY, call, nonces, now)


def action_of(refusal: Refused) -> str:
    """The action of Authlete's introspection that a refusal is."""
    forbidden = (Result.SCOPE_MISSING, Result.TOKEN_OF_OTHER_SUBJECT)
    if refusal.result in forbidden:
        return "FORBIDDEN"
    return "BAD_REQUEST" if refusal.result is Result.HTU_UNKNOWN else "UNAUTHORIZED"
