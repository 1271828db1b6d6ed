"""Middleware for hosts: errors in the API's shape, and a short way from a request to its view."""

import logging
import sys
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote

from django.core.signals import got_request_exception
from django.dispatch import receiver
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import Resolver404, ResolverMatch, URLResolver, get_resolver

from . import call_lines, request_id, tracing
from .api.answered import Answered, answered
from .api.errors import failure_page, failure_response, response_for_status
from .conf import app_settings
from .db.failures import classify, is_of_database
from .instrumentation import start_if_wanted
from .request_log import redact

_FAILED = "_grant_management_failed"
REMEMBERED: Final = 1_024
"""Paths whose view is remembered."""
LONGEST: Final = 256
"""Characters of such a path."""
APP: Final = "grant_management"
"""The app's name in a host's URLs."""
ADMIN: Final = "/grant_management/"
"""What the paths of the app's pages have in common, in any admin site."""


Watcher = Callable[[Answered], None]


class RequestIDMiddleware:
    """Gives each request an ID, which is in its answer, in log lines, calls, events and webhooks.

    A safe `X-Request-ID` of the caller is kept. Put it before `JSONErrorsMiddleware`. It also
    writes the line of each call (`call_lines`), where the log takes such lines at the start.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.watchers: list[Watcher] = []
        if call_lines.logger.isEnabledFor(logging.INFO):
            self.watchers.append(_write_line)
        start_if_wanted()
        if app_settings.metrics:
            from .metrics import counters  # where it is off, prometheus_client is not needed

            self.watchers.append(counters.count)
        self._looks = bool(self.watchers) or app_settings.traces

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The response, with the ID in its header."""
        of_request = request_id.accepted(request.META.get("HTTP_X_REQUEST_ID", ""))
        request.gm_request_id = of_request  # type: ignore[attr-defined] # for `request_log`
        view = _our_view(request) if self._looks else None
        begun = request_id.begin(of_request)
        try:
            response = self.get_response(request) if view is None else self._seen(request, view)
        finally:
            request_id.end(begun)
        response.headers[request_id.HEADER] = of_request
        return response

    def _seen(self, request: HttpRequest, view: Any) -> HttpResponse:
        if tracing.tracer is None:
            return self._watched(request, view)[0]
        with tracing.tracer.request(request) as span:
            response, told = self._watched(request, view)
            span.answered(told)
        return response

    def _watched(self, request: HttpRequest, view: Any) -> tuple[HttpResponse, Answered]:
        """The response, and what watchers were told of it."""
        began = time.perf_counter()
        response = self.get_response(request)
        told = answered(request, response, view, time.perf_counter() - began)
        for watch in self.watchers:
            watch(told)
        return response, told


def _nowhere(request: HttpRequest) -> HttpResponse | None:
    """The page for an operator whose path no page of an admin site has; None: it is of no site with
    the pages of this app.
    """
    view: Any = getattr(request.resolver_match, "func", None)
    site = getattr(view, "admin_site", None)
    if site is None or view.__name__ != "catch_all_view":
        return None
    from .admin.kit.frame import not_found  # a host without an admin does not have it

    return not_found(request, site)


def _write_line(told: Answered) -> None:
    call_lines.write(
        door=told.door,
        action=told.action,
        service=told.service,
        tokenId=told.token_id,
        status=told.status,
        code=told.code,
        ms=round(1_000 * told.seconds, 1),
    )


class JSONErrorsMiddleware:
    """Answers errors that the app's views cannot answer. Nothing but `RequestIDMiddleware`
    is before it in `MIDDLEWARE`.

    Errors before a view (a forbidden Host, a failing middleware of the host) become the API's JSON,
    under the app's own paths only. Errors of the database in the app's pages of the admin become
    a line of text.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        for name in ("django.request", "django.security.csrf"):
            logging.getLogger(name).addFilter(_guard)
        logging.getLogger("django.server").addFilter(_guard_of_runserver)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The response, or the JSON that replaces an error page."""
        response = self.get_response(request)
        if response.status_code < 400 or _is_json(response) or (view := _our_view(request)) is None:
            return response
        error = getattr(request, _FAILED, None)
        if error is not None:
            return failure_response(error, request, is_authletes=view.is_authletes)
        return response_for_status(response.status_code, request) or response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A line of text for an operator where the database fails, and the console's own page where
        a path of its admin site leads nowhere; None: Django handles the error.

        Unlike an error page of Django the line has no frames and no values.
        """
        if is_of_database(exception) and self.is_a_page(request):
            return failure_page(exception, request)
        return _nowhere(request) if isinstance(exception, Http404) else None

    def is_a_page(self, request: HttpRequest) -> bool:
        """Whether it is one of the app's pages in an admin. The host's own pages are left alone."""
        match = request.resolver_match
        return match is not None and (match.url_name or "").startswith("grant_management_")


class DirectAPIMiddleware:
    """Sends a request for one of the app's URLs straight to its view.

    The middleware behind this one (sessions, CSRF, messages, static files) never sees such a
    request: the API needs none of it. Put this behind what the API is to keep, such as Django's
    `SecurityMiddleware`. The Host is checked here, as `CommonMiddleware` would do it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The response of the view, or of the middleware behind this one.

        DisallowedHost: the Host is not one of `ALLOWED_HOSTS`; Django answers that.
        """
        match = _of_app(request)
        if match is None:
            return self.get_response(request)
        request.get_host()
        request.resolver_match = match
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        return response


def _of_app(request: HttpRequest) -> ResolverMatch | None:
    """The view of the app at the request's path; None: the path is not one of the app's."""
    resolver, path = get_resolver(getattr(request, "urlconf", None)), request.path_info
    find = _find if len(path) <= LONGEST else _find.__wrapped__
    try:
        return find(resolver, path)
    except Resolver404:
        return None


@lru_cache(REMEMBERED)
def _find(resolver: URLResolver, path: str) -> ResolverMatch | None:
    """Resolving a path costs as much as reading a grant does."""
    match = resolver.resolve(path)
    return match if APP in match.app_names else None


@receiver(got_request_exception)
def _remember(*, request: HttpRequest | None = None, **_signal: Any) -> None:
    """Keep an error of the database on the request: later only its response is known.

    `__call__` and the filter of the log need the error.
    """
    error = sys.exc_info()[1]
    if request is not None and is_of_database(error) and not classify(error).is_bug:
        setattr(request, _FAILED, error)


def _guard(record: logging.LogRecord) -> bool:
    """A filter of the log: False for an error that `failure_response` logs in a line of its own.

    Records about the app's own URLs lose the path (`request_log`); others are left alone.
    """
    request = getattr(record, "request", None)
    if not isinstance(request, HttpRequest):
        return True
    ours = _our_view(request) is not None
    if ours and getattr(request, _FAILED, None) is not None:
        return False
    if ours or ADMIN in request.path_info:
        redact(record)
    return True


def _guard_of_runserver(record: logging.LogRecord) -> bool:
    """The same for lines of Django's development server, which knows the line of a request alone.

    It logs every request, and for one that it cannot read also an error that quotes the line.
    """
    for said in record.args if isinstance(record.args, tuple) else ():
        path = _path_in(said) if isinstance(said, str) else ""
        match = _any_at(path)
        if ADMIN in path or (match is not None and APP in match.app_names):
            redact(record, match)
            break
    return True


def _any_at(path: str) -> ResolverMatch | None:
    try:
        return get_resolver().resolve(path)
    except Resolver404:
        return None


def _path_in(line: str) -> str:
    """The path in the line of a request, decoded; "": it has none."""
    _, slash, rest = line.partition("/")
    target = rest.rpartition(" HTTP/")[0] or rest
    return slash + unquote(target.partition("?")[0].lstrip("/"))


def _is_json(response: HttpResponse) -> bool:
    return response.get("Content-Type", "").startswith("application/json")


def _our_view(request: Any) -> Any:
    """The class of the app's view at the request's path; None: the path is not the app's."""
    match = _of_app(request)
    return getattr(match.func, "view_class", None) if match else None
