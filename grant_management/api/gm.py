"""The grant management API: `POST /api/{serviceId}/auth/gm`."""

from typing import Final

from django.http import HttpRequest, HttpResponse

from ..endpoint.call_log import answer_call
from ..endpoint.messages import GMRequest, parse_gm_request
from ..protocol.results import Refused
from .body import announced_size, read_body
from .errors import json_response
from .views import JSONView

SMALL: Final = 65_536
"""Bytes. A larger body is read only after its sender was authenticated."""


class GrantManagementView(JSONView):
    """`POST /api/{serviceId}/auth/gm` and `/api/{serviceId}/gm`."""

    door = "gm"
    is_authletes = True

    def respond(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        """200 with an action, whatever the outcome of the call.

        The call is read before its caller is authenticated, so that one statement finds everything
        that was presented. Errors in the call are still reported after those of the caller.
        """
        number = kwargs["service_id"]
        try:
            if not _is_small(request):
                self.caller(request, int(number))
            call = read_call(request)
        except Refused:
            self.opened(request, self.caller(request, int(number)))
            raise
        found = self.caller(request, int(number), call.access_token)
        service = self.opened(request, found)
        answer = answer_call(service, call, found.now, found.access_token)
        request.gm_call = call, answer  # type: ignore[attr-defined] # for `api.answered`
        return json_response(answer.as_json())


def read_call(request: HttpRequest) -> GMRequest:
    """The call in the body. Refused: the body is missing, incomplete or unreadable."""
    return parse_gm_request(request.content_type or "", read_body(request))


def _is_small(request: HttpRequest) -> bool:
    """Whether the body may be read before authentication: not where its size is unknown."""
    size = announced_size(request)
    return size is not None and size <= SMALL
