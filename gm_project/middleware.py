"""Middleware of the standalone project."""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import connection
from django.http import HttpRequest, HttpResponse

from gm_project.database.timeouts import PAGES, are_in_force
from grant_management.api.errors import failure_page
from grant_management.db import replica
from grant_management.db.failures import is_of_database
from grant_management.db.postgresql.longer import longer_statements

POLICY: Final = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
)
"""Nothing from another origin, nothing inline (CSP level 3)."""


class ContentSecurityPolicy:
    """Sets the policy on every response. It never varies, so no package has to build it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The response of the view, with the policy."""
        response = self.get_response(request)
        response.headers["Content-Security-Policy"] = POLICY
        return response


class DatabaseErrors:
    """Answers an error of the database on any page with one line of text: no frames, no values."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The response of the view, unchanged: only `process_exception` does something."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The response to an error of the database; None: another error, which Django answers."""
        return failure_page(exception, request) if is_of_database(exception) else None


class LongerStatements:
    """Lets the statements of pages take longer than those of the API, which never pass this.

    At the replica too, which only pages read. Only where the project itself set the API's: not
    behind a pooler.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        if not are_in_force(settings.DATABASES["default"]):
            raise MiddlewareNotUsed

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The response of the view; what it streams later is bounded as usual."""
        token = replica.SECONDS.set(PAGES)
        try:
            with longer_statements(connection, PAGES):
                return self.get_response(request)
        finally:
            replica.SECONDS.reset(token)
