"""Django's own errors, in the JSON shape of the API."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from .errors import response_for_status


class JSONErrorsMiddleware:
    """Turns errors that arise before the app's views (a forbidden Host, a failing middleware of
    the host) into its JSON, under its own paths only. Stands first in `MIDDLEWARE`.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The response, or what stands for it."""
        response = self.get_response(request)
        if response.status_code < 400 or not _is_ours(request) or _is_json(response):
            return response
        return response_for_status(response.status_code) or response


def _is_json(response: HttpResponse) -> bool:
    return response.get("Content-Type", "").startswith("application/json")


def _is_ours(request: HttpRequest) -> bool:
    try:
        return "grant_management" in resolve(request.path_info).app_names
    except Resolver404:
        return False
