"""`POST /api/servicetoken/{operation}` and `/api/organizationtoken/{operation}`."""

from django.http import HttpRequest, HttpResponse

from ...fields.reading import parse_body
from ...protocol.results import Refused, Result
from ...protocol.strict_json import dumps
from ..body import read_body
from ..errors import json_response
from ..views import JSONView
from .tokens import OPERATIONS, TAKES_NONE, ProvisioningRequest, check_organization


class ProvisioningView(JSONView):
    """Operations on API tokens, for organization tokens that have the right to manage tokens."""

    door = "provisioning"

    def respond(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        """200 with the operation's answer. Refused: the caller lacks the right to manage tokens."""
        found = self.caller(request)
        caller = found.api_token
        if caller.service_id is not None or not caller.can_manage_tokens:
            raise Refused(Result.MANAGEMENT_NOT_ALLOWED)
        self.throttle(request)
        self.used = found
        body = read_body(request, optional=kwargs["operation"] in TAKES_NONE)
        members = parse_body(request.content_type or "", body, keep_numbers=True) if body else {}
        asked = ProvisioningRequest(caller, kwargs["kind"], members, found.now)
        check_organization(asked)
        return json_response(dumps(OPERATIONS[kwargs["operation"]](asked)))
