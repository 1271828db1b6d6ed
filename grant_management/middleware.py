"""Errors that no view of the app answers, in the shape that its callers and operators can read."""

import logging
import sys
from collections.abc import Callable
from typing import Any

from django.core.signals import got_request_exception
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from .api.errors import failure_page, failure_response, response_for_status
from .db.failures import classify, is_of_database

_FAILED = "_grant_management_failed"


class JSONErrorsMiddleware:
    """Turns errors that arise before the app's views (a forbidden Host, a failing middleware of
    the host) into its JSON, under its own paths only; and errors of the database in the app's
    pages of the admin into a line of text. Stands first in `MIDDLEWARE`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        logging.getLogger("django.request").addFilter(_is_not_told)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The response, or what stands for it."""
        response = self.get_response(request)
        if response.status_code < 400 or _is_json(response) or (view := _our_view(request)) is None:
            return response
        error = getattr(request, _FAILED, None)
        if error is not None:
            return failure_response(error, request, is_authletes=view.is_authletes)
        return response_for_status(response.status_code) or response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """What an operator sees where the database fails: no frames, and no values."""
        if is_of_database(exception) and self.is_a_page(request):
            return failure_page(exception, request)
        return None

    def is_a_page(self, request: HttpRequest) -> bool:
        """Whether it is one of the app's in an admin. A host may have others, and its own way."""
        match = request.resolver_match
        return match is not None and (match.url_name or "").startswith("grant_management_")


@receiver(got_request_exception)
def _remember(*, request: HttpRequest | None = None, **_signal: Any) -> None:
    """An error of the database before the views, for what comes after: here alone it is known."""
    error = sys.exc_info()[1]
    if request is not None and is_of_database(error) and not classify(error).is_bug:
        setattr(request, _FAILED, error)


def _is_not_told(record: logging.LogRecord) -> bool:
    """False for what `failure_response` says in a line of its own."""
    request = getattr(record, "request", None)
    return getattr(request, _FAILED, None) is None or _our_view(request) is None


def _is_json(response: HttpResponse) -> bool:
    return response.get("Content-Type", "").startswith("application/json")


def _our_view(request: Any) -> Any:
    """The class of the app's view at the request's path; None: it is not the app's."""
    try:
        match = resolve(request.path_info)
    except Resolver404:
        return None
    is_ours = "grant_management" in match.app_names
    return getattr(match.func, "view_class", None) if is_ours else None
