"""What a request to the toolkit presents beside its token, from the headers that oauthlib hands on.

oauthlib's headers are the `META` of Django's request, with a few names added.
"""

from typing import Any, Final
from urllib.parse import urlsplit

from django.http import HttpRequest
from oauth2_provider.oauth2_backends import OAuthLibCore

from grant_management.api.client_certificate import client_certificate
from grant_management.models import Service

from .origin import origin_of
from .sender import Presented

SEEN: Final = "grant_management.proofs"


class Proofs:
    """The proofs of one HTTP request that were found valid.

    A request may be authenticated several times, by a middleware and by a view, but a proof is good
    for one use.
    """

    def __init__(self) -> None:
        self.valid: set[tuple[str, str]] = set()


class GrantManagementCore(OAuthLibCore):  # type: ignore[misc]
    """The toolkit's `OAUTH2_BACKEND_CLASS`, for tokens of the DPoP scheme (RFC 9449 §7.1).

    oauthlib knows the Bearer scheme alone. The validator looks at the scheme that was really sent.
    """

    def extract_headers(self, request: HttpRequest) -> dict[str, Any]:
        """The headers for oauthlib, a DPoP token as a Bearer token."""
        request.META.setdefault(SEEN, Proofs())
        headers: dict[str, Any] = super().extract_headers(request)
        scheme, value = _authorization(headers)
        if scheme == "dpop":
            headers["Authorization"] = f"Bearer {value}"
        return headers


def presented_by(service: Service, request: Any) -> Presented:
    """What oauthlib's request presents.

    The URL is that of the service's grant management endpoint, with the request's path: both are
    of one server. "": the service has none.
    """
    endpoint, headers = service.grant_management_endpoint, request.headers
    asked = HttpRequest()
    asked.META = dict(headers)
    return Presented(
        method=request.http_method,
        url=origin_of(endpoint) + urlsplit(request.uri).path if endpoint else "",
        proof=headers.get("HTTP_DPOP", ""),
        certificate=client_certificate(asked),
        dpop_scheme=_authorization(headers)[0] == "dpop",
    )


def proofs_of(request: Any) -> Proofs:
    """The proofs that were found valid in the HTTP request of oauthlib's request."""
    found: Proofs = request.headers.get(SEEN) or Proofs()
    return found


def _authorization(headers: Any) -> tuple[str, str]:
    """The scheme of the Authorization header in lower case, and the rest of the header."""
    scheme, _, value = headers.get("HTTP_AUTHORIZATION", "").partition(" ")
    return scheme.lower(), value.strip()
