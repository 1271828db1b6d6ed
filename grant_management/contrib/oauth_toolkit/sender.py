"""Tokens that only their sender can use: DPoP proofs (RFC 9449) and certificates (RFC 8705).

Nothing here knows the toolkit: these functions take what a request presents, and our rows.
"""

from dataclasses import dataclass

from grant_management.db import clock
from grant_management.endpoint import sender_constraint as steps
from grant_management.endpoint.challenge import challenge_by
from grant_management.endpoint.context import Context, run_steps
from grant_management.endpoint.messages import GMRequest
from grant_management.lifecycle import Binding, LifecycleError
from grant_management.models import AccessToken, DPoPNonce, RefreshToken, Service
from grant_management.protocol import certificates
from grant_management.protocol.results import INVALID_GRANT, INVALID_REQUEST, Refused, Result


@dataclass(frozen=True, slots=True)
class Presented:
    """What a request presents beside its token. "": it does not.

    `url` is where the request was sent, from this server's configuration; `dpop_scheme`: its token
    came with the DPoP scheme. `certificate` is as a proxy writes it, not yet parsed.
    """

    method: str
    url: str
    proof: str = ""
    certificate: str = ""
    dpop_scheme: bool = False


class ProofRefused(LifecycleError):
    """The proof of a token request is refused (RFC 9449 §5, §8). `nonce`: the one to use, or ""."""

    def __init__(self, error: str, description: str, nonce: str = "") -> None:
        super().__init__(error, description)
        self.nonce = nonce


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a token cannot be used with a request: the challenge to send, and the nonce to use."""

    error: str
    description: str
    challenge: str
    nonce: str = ""


def binding_of(service: Service, presented: Presented) -> Binding:
    """What the tokens of a token request will be bound to (RFC 9449 §5, RFC 8705 §3).

    A valid proof is used up, so this must be outside of a transaction. ProofRefused: the proof is
    not valid. LifecycleError `invalid_request`: the certificate cannot be read.
    """
    try:
        x5t = certificates.thumbprint(presented.certificate) if presented.certificate else ""
    except ValueError:
        raise LifecycleError(INVALID_REQUEST, "The client certificate is unreadable.") from None
    return Binding(_key(service, presented) if presented.proof else "", x5t)


def check_refresh(old: RefreshToken, presented: Binding) -> None:
    """Check that a bound refresh token came with its key and its certificate (RFC 9449 §5).

    LifecycleError `invalid_grant`: it did not.
    """
    if old.jkt not in ("", presented.jkt) or old.x5t_s256 not in ("", presented.x5t_s256):
        raise LifecycleError(INVALID_GRANT, "The refresh token is bound to another key.")


def check_use(
    service: Service, token: AccessToken | None, value: str, presented: Presented
) -> Unusable | None:
    """Why a request may not use this active access token; None: it may (RFC 9449 §7, RFC 8705 §3).

    `token` None: our store does not know it. A valid proof is used up.
    """
    found = token or AccessToken(service=service)
    context = Context(service, _request(presented, value), clock.now())
    context.token = found
    try:
        run_steps(steps.STEPS, context)
    except Refused as refusal:
        challenge = challenge_by(service, refusal, found)
        nonce = context.nonces.current if context.nonces else ""
        error = refusal.result.error or INVALID_REQUEST
        return Unusable(error, refusal.message, challenge, nonce)
    return None


def is_bound(token: AccessToken | RefreshToken) -> bool:
    """Whether a token is bound to a key or a certificate."""
    return bool(token.jkt or token.x5t_s256)


def _key(service: Service, presented: Presented) -> str:
    """The thumbprint of the proof's key. ProofRefused: the proof is not valid, or was used."""
    context = Context(service, _request(presented), clock.now())
    if service.dpop_nonce_required:
        context.nonces = DPoPNonce.objects.at(service, context.now)
    try:
        for check in (steps.find_htu, steps.verify_proof, steps.check_nonce, steps.burn_proof):
            check(context)
    except Refused as refusal:
        is_unknown = refusal.result is Result.HTU_UNKNOWN
        said = "This server does not know its own URL." if is_unknown else refusal.message
        nonce = context.nonces.current if context.nonces else ""
        raise ProofRefused(refusal.result.error or INVALID_REQUEST, said, nonce) from None
    return context.proof.jkt


def _request(presented: Presented, access_token: str = "") -> GMRequest:
    """As a call of the grant management API. A proof counts with a token of the DPoP scheme."""
    counts = presented.dpop_scheme or not access_token
    return GMRequest(
        access_token=access_token,
        client_certificate=presented.certificate,
        dpop=presented.proof if counts else "",
        htm=presented.method,
        htu=presented.url,
        dpop_scheme=presented.dpop_scheme,
    )
