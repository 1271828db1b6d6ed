"""The page at `/`: what this server is."""

from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language_from_request, override
from django.views.decorators.csrf import csrf_exempt

from grant_management.api.errors import MethodNotAllowed, json_response, refusal_response
from grant_management.conf import DOCUMENTS

NAME: Final = "Grant Management for OAuth 2.0"
_JSON: Final = f'{{"name":"{NAME}","documentation":"{DOCUMENTS}"}}'


@csrf_exempt
def front(request: HttpRequest) -> HttpResponse:
    """The name of this server and the address of its documents: HTML for a browser, else JSON.

    Nothing else is said, such as a version, since anybody may ask. DisallowedHost: the Host is not
    one of ALLOWED_HOSTS. Where only the API is served, no middleware has looked at it.
    """
    request.get_host()
    if request.method not in ("GET", "HEAD"):
        return refusal_response(MethodNotAllowed("GET", "HEAD"))
    if request.get_preferred_type(["application/json", "text/html"]) == "text/html":
        response = _page(request)
    else:
        response = json_response(_JSON)
        response["Vary"] = "Accept"
    response["Cache-Control"] = "no-store"
    return response


def _page(request: HttpRequest) -> HttpResponse:
    """The page, in the language that the browser asks for (RFC 9110 §12.5.4)."""
    doors = {"has_api": settings.ONLY != "admin", "has_console": settings.ONLY != "api"}
    with override(get_language_from_request(request)):
        page = render(request, "front.html", {"name": NAME, "documents": DOCUMENTS, **doors})
    page["Vary"] = "Accept, Accept-Language"
    return page
