"""The values that the checks of a call compared, as text for operators, without credentials."""

from typing import Any, Final

from ..models import AccessToken, Grant
from ..protocol import certificates, dpop, jwk
from ..protocol.results import GMAction, Result
from .access_token import SCOPES
from .messages import GMRequest, GMResponse

Compared = dict[Result, tuple[str, str]]
"""The expected and the presented value, by a result with which the check refuses."""
MAX_SHOWN: Final = 200
"""Characters of a value that are shown."""
NOTHING: Final = "nothing"


def compare(
    call: GMRequest, token: AccessToken | None, grant: Grant | None, answer: GMResponse
) -> Compared:
    """The values of the checks that apply to this token; {}: the token is not known.

    `token` and `grant` are those that the call names. A nonce is compared only where the answer
    has one.
    """
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
        return "not a certificate"


def _proof(call: GMRequest, token: AccessToken, answer: GMResponse) -> Compared:
    """The claims of the proof beside the expected ones, whether or not the proof is valid."""
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
        return "not a public key"


def _url(text: str) -> str:
    """The URL without query and fragment, which may hold a credential."""
    return _shown(text.partition("?")[0].partition("#")[0])


def _shown(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
