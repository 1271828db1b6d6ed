"""The draft's own endpoint (§6): a grant as a resource; and the server's metadata (RFC 8414).

OAuth clients send their requests here themselves. Such a request becomes the call that an
authorization server would make for it, so that it passes the same checks.
"""

import json
import re
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse

from ..endpoint.call_log import answer_call
from ..endpoint.messages import GMRequest, GMResponse
from ..fields.members import MAX_ID
from ..metadata import authorization_server_metadata, issuer
from ..models import Service
from ..models.credentials import service_and_time
from ..protocol.results import Action, GMAction, Refused, Result
from .body import refuse_body
from .client_certificate import client_certificate
from .errors import MethodNotAllowed, json_response, no_content
from .views import JSONView, method_of

# A server that supports GET supports HEAD too (RFC 9110 §9.1); it drops the body of the answer.
METHODS = {"GET": GMAction.QUERY, "HEAD": GMAction.QUERY, "DELETE": GMAction.REVOKE}

# RFC 6750 §2.1 and RFC 9449 §7.1. Scheme names are case-insensitive (RFC 9110 §11.1).
_CREDENTIALS = re.compile(r"(bearer|dpop) +([A-Za-z0-9\-._~+/]+=*)\Z", re.IGNORECASE)
STATUS = {
    Action.OK: 200,
    Action.NO_CONTENT: 204,
    Action.UNAUTHORIZED: 401,
    Action.FORBIDDEN: 403,
    Action.NOT_FOUND: 404,
}


class GrantResourceView(JSONView):
    """`GET`, `HEAD` and `DELETE /gm/{serviceId}/{grantId}`."""

    door = "draft"
    methods = tuple(METHODS)

    def respond(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        """200, 204, 401, 403 or 404 (draft §6.4 to §6.6), or 500 where the server is at fault.

        Refused: there is no such service, it does not support the method, or there is a body.
        """
        service, now = find_service(kwargs["service_id"])
        action = _action(service, method_of(request))
        refuse_body(request)
        call = _call(request, action, kwargs["grant_id"])
        answer = answer_call(service, call, now)
        # For `api.answered`.
        request.gm_call, request.gm_service = (call, answer), service.pk  # type: ignore[attr-defined]
        return _response(answer)


class MetadataView(JSONView):
    """`GET` and `HEAD /.well-known/oauth-authorization-server/{serviceId}`."""

    door = "metadata"
    methods = ("GET", "HEAD")

    def respond(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        """200 with the metadata members of this app, without authentication (RFC 8414 §3).

        Refused: another method, a body, no such service, or a service that has no
        `grant_management_endpoint`. The last two look the same, so that nobody learns which
        services exist.
        """
        if method_of(request) not in self.methods:
            raise MethodNotAllowed(*self.methods)
        refuse_body(request)
        service, _now = find_service(kwargs["service_id"])
        if not service.grant_management_endpoint:
            raise Refused(Result.ROUTE_UNKNOWN)
        members = {"issuer": issuer(service), **authorization_server_metadata(service)}
        return json_response(json.dumps(members))


def find_service(service_id: str) -> tuple[Service, datetime]:
    """The service of this number, written in digits, and the database's time: 1 query.

    Refused: there is no such service.
    """
    number = int(service_id)
    found = service_and_time(number) if number <= MAX_ID else None
    if found is None:
        raise Refused(Result.ROUTE_UNKNOWN)
    return found


def _action(service: Service, method: str) -> GMAction:
    """The action of the method. MethodNotAllowed: the service does not support it."""
    supported = {
        name: action
        for name, action in METHODS.items()
        if action.value.lower() in service.actions_supported
    }
    if method not in supported:
        raise MethodNotAllowed(*supported)
    return supported[method]


def _call(request: HttpRequest, action: GMAction, grant_id: str) -> GMRequest:
    """The client's request as a call. It has no `htu`: the default is the grant's URL here."""
    credentials = _CREDENTIALS.match(request.headers.get("Authorization", ""))
    dpop_scheme = credentials is not None and credentials[1].lower() == "dpop"
    return GMRequest(
        access_token=credentials[2] if credentials else "",
        client_certificate=client_certificate(request),
        # With the Bearer scheme the proof is ignored, so that a key-bound token is refused (RFC
        # 9449 §7.2). Two DPoP headers arrive joined by a comma, which makes the proof invalid.
        dpop=request.headers.get("DPoP", "") if dpop_scheme else "",
        htm=method_of(request),
        gm_action=action,
        grant_id=grant_id,
        dpop_scheme=dpop_scheme,
    )


def _response(answer: GMResponse) -> HttpResponse:
    action = answer.result.action
    # A CALLER_ERROR too is 500: this server is the caller here, so the client cannot correct it.
    status = STATUS.get(action, 500) if action else 500
    response = no_content() if status == 204 else json_response(_body(answer, status), status)
    if status in (401, 403, 404):
        response["WWW-Authenticate"] = answer.response_content or ""
    if answer.dpop_nonce:
        response["DPoP-Nonce"] = answer.dpop_nonce
    return response


def _body(answer: GMResponse, status: int) -> str:
    if status == 200:
        return answer.response_content or ""
    members: dict[str, Any] = {"error": answer.result.error, "error_description": answer.message}
    return json.dumps({name: value for name, value in members.items() if value})
