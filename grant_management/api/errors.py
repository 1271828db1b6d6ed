"""Errors of the transport, always in the JSON shape of the API."""

from typing import Final

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse

from ..db.failures import Failure, settle, tell
from ..endpoint.messages import GMResponse
from ..protocol.challenge import challenge_of
from ..protocol.results import Refused, Result
from ..redaction import forget_body
from ..request_log import where

_RETRY_AFTER: Final = {
    Result.DATABASE_AWAY: 10,
    Result.DATABASE_BUSY: 2,
    Result.OUTCOME_UNKNOWN: 2,
    Result.DATABASE_CONFLICT: 1,
}
"""Seconds. After any other failure the same request would only fail again."""


class MethodNotAllowed(Refused):
    """405: the method is not one of those `allowed`, which the `Allow` header lists."""

    def __init__(self, *allowed: str) -> None:
        super().__init__(Result.METHOD_NOT_ALLOWED, f"Allowed: {' '.join(allowed) or 'none'}.")
        self.allowed = allowed


class Throttled(Refused):
    """429: too many calls. `wait` is in seconds, for the `Retry-After` header."""

    def __init__(self, wait: int) -> None:
        super().__init__(Result.THROTTLED)
        self.wait = wait


def json_response(body: str, status: int = 200) -> HttpResponse:
    """A JSON response that no cache may store (RFC 9111 §5.2.2.5). `body` is JSON text."""
    content = body.encode()
    headers = {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "Content-Length": str(len(content)),  # CommonMiddleware may not be passed
    }
    return HttpResponse(content, status=status, headers=headers)


def no_content() -> HttpResponse:
    """204, without a type and a length (RFC 9110 §8.6)."""
    response = json_response("", 204)
    del response["Content-Type"], response["Content-Length"]
    return response


def refusal_response(refusal: Refused) -> HttpResponse:
    """The response to a refused request, with the headers that its status needs."""
    result = refusal.result
    content = None if result.action is None else challenge_of(refusal)
    answer = GMResponse(result, refusal.message, content)
    response = json_response(answer.as_json(), result.status)
    if result.status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if isinstance(refusal, MethodNotAllowed):
        response["Allow"] = ", ".join(refusal.allowed)
    if isinstance(refusal, Throttled):
        response["Retry-After"] = str(refusal.wait)
    return response


def failure_response(
    error: Exception, request: HttpRequest, *, is_authletes: bool = False
) -> HttpResponse:
    """The response to a request at which this server failed. The reason goes only into the log.

    `is_authletes`: always 500, which Authlete's clients expect. Otherwise 503 where a retry helps.
    """
    forget_body(request)  # before the log: an error tracker reads the request when that is written
    failure = settle(error)
    tell(error, failure, where(request))
    response = refusal_response(Refused(failure.result))
    if not is_authletes:
        _ask_again(response, failure)
    return _as_told(response)


def failure_page(error: Exception, request: HttpRequest) -> HttpResponse:
    """The same for operators, as plain text: a page would read a session from the database."""
    failure = settle(error)
    tell(error, failure, where(request))
    response = HttpResponse(failure.result.message(), status=500, content_type="text/plain")
    _ask_again(response, failure)
    return _as_told(response)


def _ask_again(response: HttpResponse, failure: Failure) -> None:
    """Make it 503 with `Retry-After` where a retry helps (RFC 9110 §15.6.4, §10.2.3)."""
    seconds = _RETRY_AFTER.get(failure.result)
    if seconds is not None:
        response.status_code = 503
        response["Retry-After"] = str(seconds)


def _as_told(response: HttpResponse) -> HttpResponse:
    """Mark the response as logged, so that Django does not log it again."""
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


_OF_STATUS = {
    400: Result.BODY_UNREADABLE,
    404: Result.ROUTE_UNKNOWN,
    413: Result.BODY_TOO_LARGE,
    500: Result.SERVER_FAILED,
}


def response_for_status(status: int, request: HttpRequest) -> HttpResponse | None:
    """The response that replaces an error page of Django; None: a status that is left as it is."""
    result = _OF_STATUS.get(status)
    detail = what_is_unreadable(request) if status == 400 else ""
    return refusal_response(Refused(result, detail)) if result else None


def what_is_unreadable(request: HttpRequest) -> str:
    """Why Django answers a request with 400. The Host is not repeated: anybody can send any."""
    try:
        request.get_host()
    except DisallowedHost:
        return "its Host is not in ALLOWED_HOSTS, where this server's operator has to add it."
    return "its headers are not acceptable."
