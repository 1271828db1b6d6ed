"""The view of the operations that name no service: `/api/service/{create,get/list}`."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse

from ...fields.field import Field
from ...fields.reading import read
from ...protocol.results import Refused, Result
from ...protocol.strict_json import dumps
from ..errors import json_response
from ..store.answer import Answer
from ..store.views import check_right, sent
from ..views import JSONView
from .services import OrganizationRequest


class OrganizationView(JSONView):
    """Operations on an organization's services, for organization tokens that may manage them."""

    is_authletes = True
    perform: ClassVar[Callable[[OrganizationRequest], Answer]]
    members: ClassVar[tuple[Field, ...]]

    def respond(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        """200 with the operation's answer. Refused: the caller lacks the right."""
        found = self.caller(request)
        caller = found.api_token
        if caller.service_id is not None:
            raise Refused(Result.RIGHT_MISSING, "'manage_services', of an organization token.")
        check_right(caller, "can_manage_services")
        self.throttle(request)
        self.used = found
        values = read(sent(request)[1], self.members, found.now)
        asked = OrganizationRequest(caller, values)
        return json_response(dumps(type(self).perform(asked)))


def organization_door(
    perform: Callable[[OrganizationRequest], Answer],
    members: tuple[Field, ...],
    methods: tuple[str, ...] = ("POST",),
) -> Any:
    """The view of an operation. The class is named after it, since the log names the class."""
    name = f"{perform.__name__.title().replace('_', '')}View"
    attributes = {
        "perform": staticmethod(perform),
        "members": members,
        "methods": methods,
        "door": f"{perform.__module__.rpartition('.')[2]}.{perform.__name__}",
    }
    return type(name, (OrganizationView,), attributes).as_view()  # type: ignore[attr-defined]
