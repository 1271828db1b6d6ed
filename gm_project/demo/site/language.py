"""The language of the person's pages: what the browser asks for. Other pages stay in English."""

from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware


class PersonsLanguage(LocaleMiddleware):
    """Django's middleware, below `/account/` alone."""

    def process_request(self, request: HttpRequest) -> None:
        """Activate the language that the browser asks for."""
        if request.path_info.startswith("/account/"):
            super().process_request(request)
