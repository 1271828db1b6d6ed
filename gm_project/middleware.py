"""What the standalone project adds to every page."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

from grant_management.api.errors import failure_page
from grant_management.db.failures import is_of_database

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
"""Nothing from elsewhere, nothing inline (CSP level 3)."""


class ContentSecurityPolicy:
    """The policy on every answer. It is one and the same, so no package has to build it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The response, with the policy."""
        response = self.get_response(request)
        response.headers["Content-Security-Policy"] = POLICY
        return response


class DatabaseErrors:
    """An error of the database in any page is a line of text: no frames, and no values."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The response."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The response to one; None: to another error, which is Django's to answer."""
        return failure_page(exception, request) if is_of_database(exception) else None
