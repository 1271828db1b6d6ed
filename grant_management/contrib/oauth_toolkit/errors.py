"""Refusals as errors of oauthlib, which the toolkit answers with."""

from typing import Any

from oauthlib.oauth2.rfc6749.errors import CustomOAuth2Error

from grant_management.lifecycle import LifecycleError

from .sender import ProofRefused


class ProofError(CustomOAuth2Error):  # type: ignore[misc]
    """An error with the nonce to use (RFC 9449 §8)."""

    def __init__(self, nonce: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.nonce = nonce

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the answer."""
        return {**super().headers, "DPoP-Nonce": self.nonce}


def refused(error: LifecycleError, request: Any) -> CustomOAuth2Error:
    """The error response for the client (RFC 6749 §5.2)."""
    said = {"error": error.error, "description": error.description, "request": request}
    nonce = error.nonce if isinstance(error, ProofRefused) else ""
    return ProofError(nonce, **said) if nonce else CustomOAuth2Error(**said)
