"""What the checks of a call compared, in words: expected and presented, never a credential."""

from typing import Any, Final

from ..models import AccessToken, Grant
from ..protocol import certificates, dpop, jwk
from ..protocol.results import GMAction, Result
from .access_token import SCOPES
from .messages import GMRequest, GMResponse

Compared = dict[Result, tuple[str, str]]
"""By a refusal of the check: what it expected, and what was presented."""
MAX_SHOWN: Final = 200
NOTHING: Final = "nothing"


def compare(
    call: GMRequest, token: AccessToken | None, grant: Grant | None, answer: GMResponse
) -> Compared:
    """Only what this token is bound to, and what the call reached far enough to have."""
    compared: Compared = {}
    if token is None:
        return compared
    if token.x5t_s256:
        compared[Result.CERTIFICATE_DIFFERS] = (token.x5t_s256, _certificate(call))
    if token.jkt:
        compared |= _proof(call, token, answer)
    if call.gm_action in SCOPES:
        needed = SCOPES[GMAction(call.gm_action)]
        compared[Result.SCOPE_MISSING] = (needed, _shown(token.scopes))
    if grant is not None:
        owner = f"{grant.client.client_id}, {grant.subject or NOTHING}"
        presented = f"{token.client.client_id}, {token.subject or NOTHING}"
        compared[Result.GRANT_OF_OTHER_CLIENT] = (_shown(owner), _shown(presented))
    return compared


def _certificate(call: GMRequest) -> str:
    if not call.client_certificate:
        return NOTHING
    try:
        return certificates.thumbprint(call.client_certificate)
    except ValueError:
        return "what is no certificate"


def _proof(call: GMRequest, token: AccessToken, answer: GMResponse) -> Compared:
    """What the proof claims, whether it verified or not."""
    header, claims = dpop.unverified(call.dpop)
    service = token.service
    expected = f"{call.htm or 'GET or DELETE'} {call.htu or service.grant_url(call.grant_id)}"
    presented = f"{claims.get('htm')} {claims.get('htu')}" if claims else NOTHING
    compared = {
        Result.PROOF_INVALID: (_url(expected), _url(presented)),
        Result.PROOF_KEY_DIFFERS: (token.jkt, _thumbprint(header)),
    }
    if answer.dpop_nonce:
        compared[Result.NONCE_REQUIRED] = (
            answer.dpop_nonce,
            _shown(str(claims.get("nonce") or NOTHING)),
        )
    return compared


def _thumbprint(header: dict[str, Any]) -> str:
    try:
        return jwk.thumbprint(jwk.public_members(header.get("jwk"), str(header.get("alg"))))
    except (ValueError, KeyError):
        return "what is no public key"


def _url(text: str) -> str:
    """Without its query and fragment, which may hold anything."""
    return _shown(text.partition("?")[0].partition("#")[0])


def _shown(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
