"""What anybody may read of a service's transmitter: its configuration (SSF §7), and its keys."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from ...models import Service, SigningKey
from ...protocol.results import Refused, Result
from ...protocol.shared_signals import METHODS, SPEC_VERSION
from ...protocol.strict_json import dumps
from ..body import refuse_body
from ..draft import find_service
from ..errors import MethodNotAllowed, json_response
from ..views import JSONView, method_of
from .addresses import url_of

BEARER = "urn:ietf:rfc:6750"
"""The authorization scheme of API tokens (SSF §7.1.1)."""


class ConfigurationView(JSONView):
    """`GET` and `HEAD /.well-known/ssf-configuration/{serviceId}`."""

    methods = ("GET", "HEAD")

    def respond(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        """200 with the transmitter's configuration. Refused: as for the server's metadata."""
        service, _now = _found(request, kwargs["service_id"])
        return json_response(dumps(configuration(service)))


class KeysView(JSONView):
    """`GET` and `HEAD /ssf/{serviceId}/jwks`."""

    methods = ("GET", "HEAD")

    def respond(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        """200 with the public keys that SETs may be signed with, as a JWK Set (RFC 7517 §5)."""
        service, now = _found(request, kwargs["service_id"])
        keys = SigningKey.objects.published(service.pk, now).values_list("jwk", flat=True)
        return json_response(dumps({"keys": list(keys)}))


def configuration(service: Service) -> dict[str, Any]:
    """The metadata of a service's transmitter (SSF §7.1)."""
    return {
        "spec_version": SPEC_VERSION,
        "issuer": service.issuer,
        "jwks_uri": url_of(service, "ssf_jwks"),
        "delivery_methods_supported": list(METHODS),
        "configuration_endpoint": url_of(service, "ssf_streams"),
        "status_endpoint": url_of(service, "ssf_status"),
        "add_subject_endpoint": url_of(service, "ssf_add_subject"),
        "remove_subject_endpoint": url_of(service, "ssf_remove_subject"),
        "verification_endpoint": url_of(service, "ssf_verification"),
        "authorization_schemes": [{"spec_urn": BEARER}],
        "default_subjects": "ALL",
    }


def _found(request: HttpRequest, service_id: str) -> Any:
    """The service and the time. Refused: another method, a body, or no such issuer."""
    if method_of(request) not in ("GET", "HEAD"):
        raise MethodNotAllowed("GET", "HEAD")
    refuse_body(request)
    service, now = find_service(service_id)
    if not service.issuer:
        raise Refused(Result.ROUTE_UNKNOWN)
    return service, now
