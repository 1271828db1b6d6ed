"""The base of the API's views: authentication, throttle, and errors as JSON."""

import math
from http import HTTPStatus
from typing import Any, ClassVar, cast

from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse
from rest_framework.views import APIView

from ..conf import app_settings
from ..db import apart
from ..models import Credentials, Service
from ..protocol.results import Refused, Result
from .authentication import NO_SERVICE, authenticate, authorize
from .errors import MethodNotAllowed, Throttled, failure_response, refusal_response
from .last_use import note_use
from .throttles import ApiTokenThrottle


class JSONView(APIView):
    """A view of the API, which answers every refusal and every failure in one JSON shape.

    Its `dispatch` replaces that of Django REST framework, so that a host's `REST_FRAMEWORK`
    changes nothing here.
    """

    throttle_classes = [ApiTokenThrottle]
    methods: ClassVar[tuple[str, ...]] = ("POST",)
    """The methods that it takes. A view that takes GET takes HEAD too (RFC 9110 §9.1)."""
    used: Credentials | None = None
    """The caller whose API token was accepted. (Each request has a view of its own.)"""
    door: ClassVar[str] = ""
    """What logs and metrics call it; "": the name of the class."""
    is_authletes: ClassVar[bool] = False
    """Whether Authlete has this operation too: its clients expect 500 where the server fails."""

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """The view, exempt from `ATOMIC_REQUESTS` on every database of the host.

        The rollback of a transaction around the request would make a used proof usable again.
        """
        view = super().as_view(**initkwargs)
        for alias in connections:
            view = transaction.non_atomic_requests(using=alias)(view)
        return view

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The response to a request, in view of the service that its path names (`db.apart`)."""
        number = kwargs.get("service_id")
        with apart.first_alone() if number is None else apart.service(int(number)):
            return self.answer(request, **kwargs)

    def answer(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """The response of `respond`, or a JSON response for the exception that it raised.

        Once the response is made, the use of the API token is noted; not if the call failed, since
        the database may be away.
        """
        response = self._answer(request, **kwargs)
        if self.used is not None and response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            try:
                note_use(request, self.used)
            except Exception as error:  # noqa: BLE001 - it is reported; the answer stands
                failure_response(error, request, is_authletes=self.is_authletes)
        return response

    def _answer(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        try:
            return self.respond(request, **kwargs)
        except Refused as refusal:
            return refusal_response(refusal)
        except Exception as error:  # noqa: BLE001 - the last line of defence
            return failure_response(error, request, is_authletes=self.is_authletes)

    def respond(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        """The response to a request. Refused: `dispatch` answers with its result."""
        raise NotImplementedError

    def opened(self, request: HttpRequest, found: Credentials) -> Service:
        """The service that the caller asked for.

        Refused: the API token is not for this service. Throttled: it made too many calls.
        """
        service = authorize(found)
        request.gm_service = service.pk  # type: ignore[attr-defined] # for `api.answered`
        self.throttle(request)
        self.used = found
        return service

    def caller(
        self, request: HttpRequest, service_id: int = NO_SERVICE, access_token: str = ""
    ) -> Credentials:
        """The caller's credentials; sets `request.auth`, which the throttle needs.

        Refused: the method is none of `methods` (checked first), or the API token is missing or
        not valid.
        """
        if method_of(request) not in self.methods:
            raise MethodNotAllowed(*self.methods)
        authorization = request.META.get("HTTP_AUTHORIZATION", "")
        found = authenticate(authorization, service_id, access_token)
        request.auth = found.api_token  # type: ignore[attr-defined]
        return found

    def throttle(self, request: HttpRequest) -> None:
        """Raise Throttled if the API token in `request.auth` made too many calls."""
        if app_settings.throttle_rate is None:
            return
        for throttle in self.get_throttles():
            if not throttle.allow_request(cast(Any, request), self):
                raise Throttled(math.ceil(throttle.wait() or 1))


class UnknownRouteView(JSONView):
    """Every other path below `/api/`."""

    result = Result.ROUTE_UNKNOWN

    def respond(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        """Raise Refused with the `result` of the class."""
        raise Refused(self.result)


class ForeignOperationView(UnknownRouteView):
    """Operations of Authlete that this server does not have. The answer says so."""

    result = Result.OPERATION_NOT_HERE


def method_of(request: HttpRequest) -> str:
    """The method as it was sent. Django upper-cases it, but case counts (RFC 9110 §9.1)."""
    return str(request.META["REQUEST_METHOD"])
