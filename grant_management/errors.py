"""Errors of the transport, always in the JSON shape of the API."""

import logging
import traceback

from django.db import InterfaceError, OperationalError
from django.http import HttpResponse

from .protocol.challenge import challenge
from .protocol.results import Refused, Result
from .serializers import GMResponse

logger = logging.getLogger("grant_management")


class MethodNotAllowed(Refused):
    """Another method than those `allowed`."""

    def __init__(self, *allowed: str) -> None:
        super().__init__(Result.METHOD_NOT_ALLOWED, f"Allowed: {' '.join(allowed) or 'none'}.")
        self.allowed = allowed


class Throttled(Refused):
    """Too many calls. `wait` is in seconds."""

    def __init__(self, wait: int) -> None:
        super().__init__(Result.THROTTLED)
        self.wait = wait


def json_response(body: str, status: int = 200) -> HttpResponse:
    """JSON that nobody keeps (RFC 9111 §5.2.2.5)."""
    response = HttpResponse(body.encode(), status=status, content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response


def refusal_response(refusal: Refused) -> HttpResponse:
    """The answer to a request that was refused before it was processed."""
    result = refusal.result
    content = None if result.action is None else challenge(result.error or "", refusal.message)
    answer = GMResponse(result, refusal.message, content)
    response = json_response(answer.as_json(), result.status)
    if result.status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if isinstance(refusal, MethodNotAllowed):
        response["Allow"] = ", ".join(refusal.allowed)
    if isinstance(refusal, Throttled):
        response["Retry-After"] = str(refusal.wait)
    return response


def failure_response(error: Exception) -> HttpResponse:
    """The answer where this server failed. What failed is told to the log alone.

    The log gets the frames and the kind of the error, but not its text: that may quote a value
    of the request.
    """
    frames = "".join(traceback.format_tb(error.__traceback__))
    logger.error("Request failed with %s\n%s", type(error).__qualname__, frames)
    away = isinstance(error, OperationalError | InterfaceError)
    return refusal_response(Refused(Result.DATABASE_AWAY if away else Result.SERVER_FAILED))


_OF_STATUS = {
    400: Result.BODY_UNREADABLE,
    404: Result.ROUTE_UNKNOWN,
    413: Result.BODY_TOO_LARGE,
    500: Result.SERVER_FAILED,
}


def response_for_status(status: int) -> HttpResponse | None:
    """The answer that stands for an error of Django's own; None: a status that is not an error."""
    result = _OF_STATUS.get(status)
    detail = "its headers are not acceptable." if status == 400 else ""
    return refusal_response(Refused(result, detail)) if result else None
