"""The toolkit's metadata (RFC 8414 and OpenID Connect Discovery), with the members of the draft."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import NoReverseMatch, reverse
from oauth2_provider import views
from oauth2_provider.settings import oauth2_settings
from oauth2_provider.views import ConnectDiscoveryInfoView

from grant_management.conf import app_settings
from grant_management.metadata import authorization_server_metadata

from . import bridge
from .origin import origin_of


def members() -> dict[str, Any]:
    """The members to add: those of draft §7.1 and RFC 9449 §5.1, and what the toolkit leaves out of
    its own: `device_authorization_endpoint` (RFC 8628 §4), and the support of tokens that are bound
    to certificates (RFC 8705 §3.3).

    NotSetUp: there is no service.
    """
    service = bridge.service()
    added = authorization_server_metadata(service)
    if app_settings.client_certificate_header:
        added["tls_client_certificate_bound_access_tokens"] = True
    base = oauth2_settings.OIDC_ISS_ENDPOINT or service.grant_management_endpoint
    try:
        path = reverse("oauth2_provider:device-authorization")
    except NoReverseMatch:
        return added
    return added | ({"device_authorization_endpoint": f"{origin_of(base)}{path}"} if base else {})


class _WithMembers:
    """A metadata view of the toolkit, whose JSON gets the members."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """200 with the toolkit's members and ours."""
        answer = super().get(request, *args, **kwargs)  # type: ignore[misc]
        told = JsonResponse(json.loads(answer.content) | members())
        told["Access-Control-Allow-Origin"] = "*"
        return told


class GrantDiscoveryView(_WithMembers, ConnectDiscoveryInfoView):  # type: ignore[misc]
    """The toolkit's view of OpenID Connect Discovery."""


VIEWS: dict[str, Any] = {"oidc-connect-discovery-info": GrantDiscoveryView}
"""Our views by the names of the toolkit's patterns."""

if hasattr(views, "OAuthServerMetadataView"):  # from 3.4 on

    class GrantServerMetadataView(_WithMembers, views.OAuthServerMetadataView):  # type: ignore[misc]
        """The toolkit's view of RFC 8414."""

    VIEWS["oauth-server-metadata"] = GrantServerMetadataView
    VIEWS["oauth-server-metadata-issuer"] = GrantServerMetadataView
