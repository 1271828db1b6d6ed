"""Errors of the transport, always in the JSON shape of the API."""

from typing import Final

from django.http import HttpRequest, HttpResponse

from ..db.failures import Failure, settle, tell
from ..endpoint.messages import GMResponse
from ..protocol.challenge import challenge_of
from ..protocol.results import Refused, Result

_RETRY_AFTER: Final = {
    Result.DATABASE_AWAY: 10,
    Result.DATABASE_BUSY: 2,
    Result.DATABASE_CONFLICT: 1,
}
"""Seconds; after any other failure the same request would fail again."""


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
    """The answer where this server failed; and a line in the log, which alone hears why.

    Authlete's clients expect a 500. Elsewhere it is a 503 where trying again helps.
    """
    failure = settle(error)
    tell(error, failure, _where(request))
    response = refusal_response(Refused(failure.result))
    if not is_authletes:
        _ask_again(response, failure)
    return _as_told(response)


def failure_page(error: Exception, request: HttpRequest) -> HttpResponse:
    """The same for people: plain text, for a page takes a session and a user from the database."""
    failure = settle(error)
    tell(error, failure, _where(request))
    response = HttpResponse(failure.result.message(), status=500, content_type="text/plain")
    _ask_again(response, failure)
    return _as_told(response)


def _where(request: HttpRequest) -> str:
    """The view, and not the path: somebody may have put a credential there."""
    match = request.resolver_match
    func = getattr(match.func, "view_class", match.func) if match else None
    return f"{request.method} {getattr(func, '__qualname__', 'before any view')}"


def _ask_again(response: HttpResponse, failure: Failure) -> None:
    """RFC 9110 §15.6.4 and §10.2.3."""
    seconds = _RETRY_AFTER.get(failure.result)
    if seconds is not None:
        response.status_code = 503
        response["Retry-After"] = str(seconds)


def _as_told(response: HttpResponse) -> HttpResponse:
    """The log has its line: Django adds none."""
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


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
