"""The steps about what a token is bound to: a certificate (RFC 8705 §3), a key (RFC 9449 §7)."""

import hmac
from datetime import UTC, datetime
from typing import Final

from ..db.clock import CLOCK_TOLERANCE
from ..models import DPoPNonce, UsedProof
from ..protocol import certificates, dpop, uris
from ..protocol.marked import marked as _
from ..protocol.results import GMAction, Refused, Result
from .context import Context, Step

_DEFAULT_METHODS = {GMAction.QUERY: "GET", GMAction.REVOKE: "DELETE"}


def fetch_nonces(context: Context) -> None:
    """Set the nonces of which the proof must carry one, where a nonce is required.

    This comes before the checks, since a refusal carries the current nonce too (RFC 9449 §8, §9).
    """
    service, request = context.service, context.request
    if context.token.jkt and (service.dpop_nonce_required or request.dpop_nonce_required):
        context.nonces = DPoPNonce.objects.at(service, context.now)


def verify_certificate(context: Context) -> None:
    """Refuse a client certificate that is missing, unreadable or not the token's (RFC 8705 §3)."""
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
    """Refuse the DPoP scheme with a token that is bound to no key (RFC 9449 §7.1)."""
    if context.request.dpop_scheme and not context.token.jkt:
        raise Refused(
            Result.PROOF_KEY_DIFFERS,
            "The access token is bound to no key: send it with the Bearer scheme.",
        )


def check_proof(context: Context) -> None:
    """Refuse a call without a DPoP proof."""
    if not context.request.dpop:
        raise Refused(Result.PROOF_MISSING)


def find_htu(context: Context) -> None:
    """Set the URL of the client's request in normal form: from the caller, else from the service.

    It is never taken from a header, which the client controls. Refused: neither has a valid URL.
    """
    request = context.request
    own = context.service.grant_url(request.grant_id) if request.grant_id else ""
    try:
        context.htu = uris.normalise(request.htu or own)
    except ValueError:
        raise Refused(Result.HTU_UNKNOWN) from None


def verify_proof(context: Context) -> None:
    """Set the proof. Refused: it fails RFC 9449 §4.3, apart from what the later steps check."""
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
    """Refuse a proof whose key is not the one that the token is bound to (RFC 9449 §7.1)."""
    if not hmac.compare_digest(context.proof.jkt, context.token.jkt):
        raise Refused(Result.PROOF_KEY_DIFFERS)


def check_nonce(context: Context) -> None:
    """Refuse a proof without a nonce that is valid now, where one is required (RFC 9449 §8, §9)."""
    if context.nonces is not None and not context.nonces.accept(context.proof.nonce):
        raise Refused(Result.NONCE_REQUIRED)


def burn_proof(context: Context) -> None:
    """Remember the proof as used. Refused: it was used before (RFC 9449 §11.1).

    This is the last check of the proof, so that one that fails an earlier check is not used up. It
    is remembered for `CLOCK_TOLERANCE` longer than its `iat` is accepted: no clock within that
    tolerance accepts it again.
    """
    service, proof = context.service, context.proof
    seconds = proof.iat + service.dpop_max_age + service.dpop_clock_skew
    expires_at = datetime.fromtimestamp(seconds, UTC) + CLOCK_TOLERANCE
    if not UsedProof.objects.burn(service, jkt=proof.jkt, jti=proof.jti, expires_at=expires_at):
        raise Refused(Result.PROOF_REPLAYED)


R, of = Result, frozenset
STEPS: Final = (
    Step("", fetch_nonces),
    Step(_("The certificate is the one that the token is bound to"), verify_certificate, of({R.CERTIFICATE_MISSING, R.CERTIFICATE_UNREADABLE, R.CERTIFICATE_DIFFERS}), "x5t_s256"),
    Step("", check_scheme),
    Step(_("A DPoP proof is present"), check_proof, of({R.PROOF_MISSING}), "jkt"),
    Step(_("The URL of the client's request is known"), find_htu, of({R.HTU_UNKNOWN}), "jkt"),
    Step(_("The proof is valid (RFC 9449, section 4.3)"), verify_proof, of({R.PROOF_INVALID}), "jkt"),
    Step(_("The proof's key is the one that the token is bound to"), check_key, of({R.PROOF_KEY_DIFFERS}), "jkt"),
    Step(_("The proof has a nonce of this service, where one is required"), check_nonce, of({R.NONCE_REQUIRED}), "jkt"),
    Step(_("The proof was not used before"), burn_proof, of({R.PROOF_REPLAYED}), "jkt"),
)  # fmt: skip
"""The steps in the order of the contract."""
