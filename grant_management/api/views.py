"""HTTP in and out."""

import math
from typing import Any, ClassVar, cast

from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse
from rest_framework.views import APIView

from ..conf import app_settings
from ..models import Credentials, Service
from ..protocol.results import Refused, Result
from .authentication import NO_SERVICE, authenticate, authorize
from .errors import MethodNotAllowed, Throttled, failure_response, refusal_response
from .throttles import ApiTokenThrottle


class JSONView(APIView):
    """A door of the API: answers POST, and every failure in one JSON shape.

    Its `dispatch` stands in for that of Django REST framework, so that a host's
    `REST_FRAMEWORK` changes nothing here.
    """

    throttle_classes = [ApiTokenThrottle]
    is_authletes: ClassVar[bool] = False
    """Whether Authlete has this operation, so that its clients expect 500 where we fail."""

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """The view, outside any transaction of the request (`ATOMIC_REQUESTS`), whichever database
        the host has for this app: a rollback would bring a used proof back to life.
        """
        view = super().as_view(**initkwargs)
        for alias in connections:
            view = transaction.non_atomic_requests(using=alias)(view)
        return view

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The answer, whatever happens."""
        try:
            return self.respond(request, **kwargs)
        except Refused as refusal:
            return refusal_response(refusal)
        except Exception as error:  # noqa: BLE001 - the last line of defence
            return failure_response(error, request, is_authletes=self.is_authletes)

    def respond(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        """The answer to a request. Refused: it ends before it is processed."""
        raise NotImplementedError

    def opened(self, request: HttpRequest, found: Credentials) -> Service:
        """The caller's service → throttle."""
        service = authorize(found)
        self.throttle(request)
        if service.track_last_used:
            found.api_token.mark_used(found.now)
        return service

    def caller(
        self, request: HttpRequest, service_id: int = NO_SERVICE, access_token: str = ""
    ) -> Credentials:
        """Who calls, with what: method → API token."""
        if method_of(request) != "POST":
            raise MethodNotAllowed("POST")
        authorization = request.META.get("HTTP_AUTHORIZATION", "")
        found = authenticate(authorization, service_id, access_token)
        request.auth = found.api_token  # type: ignore[attr-defined]
        return found

    def throttle(self, request: HttpRequest) -> None:
        """Refused where it called too often."""
        if app_settings.throttle_rate is None:
            return
        for throttle in self.get_throttles():
            if not throttle.allow_request(cast(Any, request), self):
                raise Throttled(math.ceil(throttle.wait() or 1))


class UnknownRouteView(JSONView):
    """Every other path below `/api/`."""

    result = Result.ROUTE_UNKNOWN

    def respond(self, request: HttpRequest, **kwargs: str) -> HttpResponse:
        """Always refuses."""
        raise Refused(self.result)


class ForeignOperationView(UnknownRouteView):
    """Authlete's operations that are no part of this server: its clients are told that."""

    result = Result.OPERATION_NOT_HERE


def method_of(request: HttpRequest) -> str:
    """As it was sent: Django makes it upper case, and methods are told apart by case (RFC 9110
    §9.1).
    """
    return str(request.META["REQUEST_METHOD"])
