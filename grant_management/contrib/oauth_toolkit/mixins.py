"""What several of the bridge's views share."""

import logging
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from oauth2_provider.scopes import get_scopes_backend

from .bridge import NotSetUp

logger = logging.getLogger("grant_management")


def describe(scopes: Iterable[str]) -> list[str]:
    """What the host says of these scopes to a user."""
    texts = get_scopes_backend().get_all_scopes()
    return [texts.get(scope, scope) for scope in scopes]


class NeverFramed:
    """A page that no other page can frame, whatever the host's middleware does.

    RFC 9700 section 4.16 asks for both headers.
    """

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer the request, and add the headers."""
        response: HttpResponse = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        response.headers["X-Frame-Options"] = "DENY"
        response.headers.setdefault("Content-Security-Policy", "frame-ancestors 'none'")
        return response


def once_set_up(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A view that needs the service: 503 where there is none, and the log says what to do."""

    @wraps(view)  # with its marks, such as that of `csrf_exempt`
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except NotSetUp as error:
            logger.error("%s", error)
            said = "The server is not set up completely. Its log says what to do."
            return JsonResponse({"error": "server_error", "error_description": said}, status=503)

    return answer
