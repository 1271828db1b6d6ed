"""`/livez` and `/readyz`, for load balancers: no credential, no rule for Host.

A server puts them in front of Django (`in_front_of`), or a host includes the two views in its URLs.
"""

import json
import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from django.http import HttpRequest, HttpResponse

from ..db.probe import Probe
from ..db.readiness import Readiness
from .errors import MethodNotAllowed, json_response, refusal_response

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

DRAINING: Final = "draining"
"""The word for a server that was told to stop."""
METHODS: Final = ("GET", "HEAD")

readiness = Readiness(Probe())
_draining = threading.Event()


def drain() -> None:
    """Say at `/readyz` from now on that this process takes no new calls.

    A server calls it when it is told to stop, and goes on answering: calls that are in flight, and
    those that the load balancer sends until it has asked again. It is for good.
    """
    _draining.set()


def livez(request: HttpRequest) -> HttpResponse:
    """`GET` and `HEAD /livez`: 200, since the process runs. It asks nothing of the database."""
    return _respond(request.method, _live)


def readyz(request: HttpRequest) -> HttpResponse:
    """`GET` and `HEAD /readyz`: 200, or 503 with the words for what fails."""
    return _respond(request.method, _ready)


def in_front_of(application: "WSGIApplication") -> "WSGIApplication":
    """The WSGI application that answers the two paths itself, and hands on all others.

    Before Django, so that neither `ALLOWED_HOSTS` nor a redirect to HTTPS stands in the way, and no
    connection of the thread is looked after first: `request_started` tests one that has met an
    error, which takes as long as the database does (`django.db.close_old_connections`).
    """

    def respond(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        answer = _ANSWERS.get(environ.get("PATH_INFO", ""))
        if answer is None:
            return application(environ, start_response)
        method = environ["REQUEST_METHOD"]
        response = _respond(method, answer)
        status = HTTPStatus(response.status_code)
        start_response(f"{status.value} {status.phrase}", list(response.items()))
        return [] if method == "HEAD" else [response.content]

    return respond


def _respond(method: str | None, answer: Callable[[], HttpResponse]) -> HttpResponse:
    if method not in METHODS:
        return refusal_response(MethodNotAllowed(*METHODS))
    return answer()


def _live() -> HttpResponse:
    return _json(200, {"status": "live"})


def _ready() -> HttpResponse:
    failing = [*readiness.failing(), *([DRAINING] if _draining.is_set() else [])]
    if failing:
        return _json(503, {"status": "unready", "failing": failing})
    purged = readiness.last_purge
    return _json(200, {"status": "ready", "lastPurge": purged and purged.isoformat()})


def _json(status: int, members: dict[str, Any]) -> HttpResponse:
    return json_response(json.dumps(members), status)


_ANSWERS: Final = {"/livez": _live, "/readyz": _ready}
