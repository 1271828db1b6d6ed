"""What binds an access token: a certificate (RFC 8705 §3), a key (RFC 9449 §7), or both."""

import hmac
from datetime import UTC, datetime

from ..db.clock import CLOCK_TOLERANCE
from ..models import DPoPNonce, Nonces, Service, UsedProof
from ..models.token import Token
from ..protocol import certificates, dpop, uris
from ..protocol.results import GMAction, Refused, Result
from .messages import GMRequest

_DEFAULT_METHODS = {GMAction.QUERY: "GET", GMAction.REVOKE: "DELETE"}


def required_nonces(
    service: Service, token: Token, request: GMRequest, now: datetime
) -> Nonces | None:
    """The nonces that the proof must carry one of; None where the call needs no nonce."""
    required = service.dpop_nonce_required or request.dpop_nonce_required
    return DPoPNonce.objects.at(service, now) if token.jkt and required else None


def verify_certificate(token: Token, request: GMRequest) -> None:
    """Refused unless the client's certificate is the one that the token is bound to."""
    if not token.x5t_s256:
        return
    if not request.client_certificate:
        raise Refused(Result.CERTIFICATE_MISSING)
    try:
        presented = certificates.thumbprint(request.client_certificate)
    except ValueError:
        raise Refused(Result.CERTIFICATE_UNREADABLE) from None
    if not hmac.compare_digest(presented, token.x5t_s256):
        raise Refused(Result.CERTIFICATE_DIFFERS)


def verify_key(
    token: Token, action: GMAction, request: GMRequest, nonces: Nonces | None, now: datetime
) -> None:
    """Refused unless a fresh DPoP proof shows the key that the token is bound to.

    The proof is burnt last: one that fails here can be mended and sent again.
    """
    if not token.jkt:
        return _check_scheme(request)
    if not request.dpop:
        raise Refused(Result.PROOF_MISSING)
    proof = _verified(request, _expected(token, action, request, now))
    if not hmac.compare_digest(proof.jkt, token.jkt):
        raise Refused(Result.PROOF_KEY_DIFFERS)
    if nonces is not None and not nonces.accept(proof.nonce):
        raise Refused(Result.NONCE_REQUIRED)
    if not _burn(token.service, proof):
        raise Refused(Result.PROOF_REPLAYED)
    return None


def _check_scheme(request: GMRequest) -> None:
    """A token that is bound to no key must not come with the DPoP scheme (RFC 9449 §7.1)."""
    if request.dpop_scheme:
        raise Refused(Result.PROOF_KEY_DIFFERS, "It is bound to none: send it as Bearer.")


def _expected(token: Token, action: GMAction, request: GMRequest, now: datetime) -> dpop.Expected:
    service = token.service
    return dpop.Expected(
        htm=request.htm or _DEFAULT_METHODS[action],
        htu=_expected_url(service, request),
        access_token=request.access_token,
        algs=service.dpop_signing_algs,
        now=now.timestamp(),
        max_age=service.dpop_max_age,
        clock_skew=service.dpop_clock_skew,
    )


def _expected_url(service: Service, request: GMRequest) -> str:
    """From the caller or the settings, never from a header of the request."""
    try:
        return uris.normalise(request.htu or service.grant_url(request.grant_id))
    except ValueError:
        raise Refused(Result.HTU_UNKNOWN) from None


def _verified(request: GMRequest, expected: dpop.Expected) -> dpop.Proof:
    try:
        return dpop.verify(request.dpop, expected)
    except dpop.InvalidProof as error:
        raise Refused(Result.PROOF_INVALID, str(error)) from None


def _burn(service: Service, proof: dpop.Proof) -> bool:
    """Kept longer than the proof could be accepted again, by any clock that agrees."""
    seconds = proof.iat + service.dpop_max_age + service.dpop_clock_skew
    expires_at = datetime.fromtimestamp(seconds, UTC) + CLOCK_TOLERANCE
    return UsedProof.objects.burn(service, jkt=proof.jkt, jti=proof.jti, expires_at=expires_at)
