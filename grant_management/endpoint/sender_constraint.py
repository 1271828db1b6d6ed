"""What binds an access token: a certificate (RFC 8705 §3), a key (RFC 9449 §7), or both."""

import hmac
from datetime import UTC, datetime
from typing import Final

from ..db.clock import CLOCK_TOLERANCE
from ..models import DPoPNonce, UsedProof
from ..protocol import certificates, dpop, uris
from ..protocol.results import GMAction, Refused, Result
from .context import Context, Step

_DEFAULT_METHODS = {GMAction.QUERY: "GET", GMAction.REVOKE: "DELETE"}


def fetch_nonces(context: Context) -> None:
    """The nonces that the proof must carry one of. Before the checks, since the current one goes
    out with a refusal too (RFC 9449 §8).
    """
    service, request = context.service, context.request
    if context.token.jkt and (service.dpop_nonce_required or request.dpop_nonce_required):
        context.nonces = DPoPNonce.objects.at(service, context.now)


def verify_certificate(context: Context) -> None:
    """The client's certificate is the one that the token is bound to (RFC 8705 §3)."""
    certificate = context.request.client_certificate
    if not certificate:
        raise Refused(Result.CERTIFICATE_MISSING)
    try:
        presented = certificates.thumbprint(certificate)
    except ValueError:
        raise Refused(Result.CERTIFICATE_UNREADABLE) from None
    if not hmac.compare_digest(presented, context.token.x5t_s256):
        raise Refused(Result.CERTIFICATE_DIFFERS)


def check_scheme(context: Context) -> None:
    """A token that is bound to no key does not come with the DPoP scheme (RFC 9449 §7.1)."""
    if context.request.dpop_scheme and not context.token.jkt:
        raise Refused(Result.PROOF_KEY_DIFFERS, "It is bound to none: send it as Bearer.")


def check_proof(context: Context) -> None:
    """There is one."""
    if not context.request.dpop:
        raise Refused(Result.PROOF_MISSING)


def find_htu(context: Context) -> None:
    """The URL of the client's request: from the caller or the settings, never from a header."""
    request = context.request
    own = context.service.grant_url(request.grant_id) if request.grant_id else ""
    try:
        context.htu = uris.normalise(request.htu or own)
    except ValueError:
        raise Refused(Result.HTU_UNKNOWN) from None


def verify_proof(context: Context) -> None:
    """All of RFC 9449 §4.3 but what the later steps check."""
    service, request = context.service, context.request
    expected = dpop.Expected(
        htm=request.htm or _DEFAULT_METHODS[context.action],
        htu=context.htu,
        access_token=request.access_token,
        algs=service.dpop_signing_algs,
        now=context.now.timestamp(),
        max_age=service.dpop_max_age,
        clock_skew=service.dpop_clock_skew,
    )
    try:
        context.proof = dpop.verify(request.dpop, expected)
    except dpop.InvalidProof as error:
        raise Refused(Result.PROOF_INVALID, str(error)) from None


def check_key(context: Context) -> None:
    """The proof's key is the one that the token is bound to (RFC 9449 §7.1)."""
    if not hmac.compare_digest(context.proof.jkt, context.token.jkt):
        raise Refused(Result.PROOF_KEY_DIFFERS)


def check_nonce(context: Context) -> None:
    """The proof has a nonce of the service, where one is required (RFC 9449 §8)."""
    if context.nonces is not None and not context.nonces.accept(context.proof.nonce):
        raise Refused(Result.NONCE_REQUIRED)


def burn_proof(context: Context) -> None:
    """The proof was not used before (RFC 9449 §11.1). The last check of it: one that failed before
    can be mended and sent again.

    It is remembered for longer than it could be accepted again, by any clock that agrees.
    """
    service, proof = context.service, context.proof
    seconds = proof.iat + service.dpop_max_age + service.dpop_clock_skew
    expires_at = datetime.fromtimestamp(seconds, UTC) + CLOCK_TOLERANCE
    if not UsedProof.objects.burn(service, jkt=proof.jkt, jti=proof.jti, expires_at=expires_at):
        raise Refused(Result.PROOF_REPLAYED)


R, of = Result, frozenset
STEPS: Final = (
    Step("", fetch_nonces),
    Step("The certificate is the one that the token is bound to", verify_certificate, of({R.CERTIFICATE_MISSING, R.CERTIFICATE_UNREADABLE, R.CERTIFICATE_DIFFERS}), "x5t_s256"),
    Step("", check_scheme),
    Step("A DPoP proof is there", check_proof, of({R.PROOF_MISSING}), "jkt"),
    Step("The URL of the client's request is known", find_htu, of({R.HTU_UNKNOWN}), "jkt"),
    Step("The proof is valid (RFC 9449, section 4.3)", verify_proof, of({R.PROOF_INVALID}), "jkt"),
    Step("The proof's key is the one that the token is bound to", check_key, of({R.PROOF_KEY_DIFFERS}), "jkt"),
    Step("The proof has a nonce of this service, where one is required", check_nonce, of({R.NONCE_REQUIRED}), "jkt"),
    Step("The proof was not used before", burn_proof, of({R.PROOF_REPLAYED}), "jkt"),
)  # fmt: skip
"""In the order of the contract."""
