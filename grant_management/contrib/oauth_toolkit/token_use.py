"""Whether a request to the toolkit's protected views may use its token."""

from typing import Any

from . import bridge, registered, sender
from .presented import presented_by, proofs_of


def may_use(token: str, request: Any) -> bool:
    """Whether the request proves that it may use a live access token, which may be bound to a key
    or a certificate (RFC 9449 §7, RFC 8705 §3). What is wrong is left on the request.
    """
    found, service = registered.access_token_of(request.access_token), bridge.service()
    presented, proofs = presented_by(service, request), proofs_of(request)
    this = (token, presented.proof)
    if presented.dpop_scheme and this in proofs.valid:
        return True
    unusable = sender.check_use(service, found, token, presented)
    if unusable is None:
        proofs.valid.add(this)
        return True
    request.grant_management_unusable = unusable
    told = {"error": unusable.error, "error_description": unusable.description}
    request.oauth2_error = told
    return False
