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
"""Bytes. A larger body is not read before its sender is known."""


class GrantManagementView(JSONView):
    """`POST /api/{serviceId}/auth/gm` and `/api/{serviceId}/gm`."""

    is_authletes = True

    def respond(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        """200 with an action, whatever became of the call.

        The call is read first, so that one statement finds all that was presented. A caller who
        is refused hears that and nothing else: what is wrong with the call comes after it.
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
        return json_response(answer.as_json())


def read_call(request: HttpRequest) -> GMRequest:
    """The call in the body. Refused: there is none."""
    return parse_gm_request(request.content_type or "", read_body(request))


def _is_small(request: HttpRequest) -> bool:
    """Whether the body may be read for a stranger: one of unknown size may not."""
    size = announced_size(request)
    return size is not None and size <= SMALL
