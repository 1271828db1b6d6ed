"""HTTP in and out."""

import math
from typing import Any, ClassVar, Final, cast

from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse
from rest_framework.views import APIView

from . import conf
from .authentication import NO_SERVICE, authenticate, authorize
from .body import announced_size, read_body
from .errors import MethodNotAllowed, Throttled, failure_response, json_response, refusal_response
from .models import Presented, Service
from .protocol.results import Refused, Result
from .serializers import GMRequest, parse_gm_request
from .throttles import ApiTokenThrottle
from .usage import answer_call

SMALL: Final = 65_536
"""Bytes. A larger body is not read before its sender is known."""


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

    def opened(self, request: HttpRequest, found: Presented) -> Service:
        """The caller's service → throttle."""
        service = authorize(found)
        self.throttle(request)
        if service.track_last_used:
            found.api_token.mark_used(found.now)
        return service

    def caller(
        self, request: HttpRequest, service_id: int = NO_SERVICE, access_token: str = ""
    ) -> Presented:
        """Who calls, with what: method → API token."""
        if method_of(request) != "POST":
            raise MethodNotAllowed("POST")
        authorization = request.META.get("HTTP_AUTHORIZATION", "")
        found = authenticate(authorization, service_id, access_token)
        request.auth = found.api_token  # type: ignore[attr-defined]
        return found

    def throttle(self, request: HttpRequest) -> None:
        """Refused where it called too often."""
        if conf.throttle_rate() is None:
            return
        for throttle in self.get_throttles():
            if not throttle.allow_request(cast(Any, request), self):
                raise Throttled(math.ceil(throttle.wait() or 1))


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


def read_call(request: HttpRequest) -> GMRequest:
    """The call in the body. Refused: there is none."""
    return parse_gm_request(request.content_type or "", read_body(request))


def _is_small(request: HttpRequest) -> bool:
    """Whether the body may be read for a stranger: one of unknown size may not."""
    size = announced_size(request)
    return size is not None and size <= SMALL
