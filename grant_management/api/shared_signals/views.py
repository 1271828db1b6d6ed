"""The view of streams: one class, with an operation for each method of a route."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

from django.http import HttpRequest, HttpResponse

from ...db.encryption import CannotDecrypt
from ...fields.field import Field
from ...fields.reading import read
from ...models import Stream
from ...protocol.results import Refused, Result
from ...protocol.strict_json import dumps
from ..errors import json_response, no_content
from ..store.views import check_right, sent
from ..views import JSONView, method_of
from .request import StreamRequest

RIGHT = "can_manage_streams"


class Operation(NamedTuple):
    """The function of a method, and the members that it takes.

    The function returns what is answered as JSON; None: nothing. `status` is that of the answer.
    """

    perform: Callable[..., Any]
    members: tuple[Field, ...] = ()
    status: int = 200


class StreamView(JSONView):
    """`/api/{serviceId}/ssf/…`: answers as SSF has them, refusals in the shape of this API."""

    operations: ClassVar[Mapping[str, Operation]]

    def respond(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        """The answer of the operation. Refused: the caller lacks the right, or it is refused."""
        found = self.caller(request, int(kwargs.pop("service_id")))
        service = self.opened(request, found)
        check_right(found.api_token, RIGHT)
        operation = self.operations[method_of(request).replace("HEAD", "GET")]
        members = sent(request)[1]
        values = read(members, operation.members, found.now)
        asked = StreamRequest(service, found.api_token, members, values, found.now)
        try:
            answer = operation.perform(asked, **kwargs)
        except CannotDecrypt:
            raise Refused(Result.STREAMS_NOT_CONFIGURED) from None
        except Stream.DoesNotExist:  # it was deleted meanwhile
            raise Refused(Result.STREAM_UNKNOWN) from None
        return _response(answer, operation.status)


def _response(answer: Any, status: int) -> HttpResponse:
    if status == 204:
        return no_content()
    response = json_response("" if answer is None else dumps(answer), status)
    if answer is None:
        del response["Content-Type"]
    return response


def door(name: str, **operations: Operation) -> Any:
    """The view of a route, with an operation for each method. The log has its name."""
    methods = (*operations, "HEAD") if "GET" in operations else tuple(operations)
    attributes = {"operations": operations, "methods": methods}
    return type(f"{name}View", (StreamView,), attributes).as_view()  # type: ignore[attr-defined]
