"""CORS: web pages of a service's own origins may call, and no others (Fetch standard, §3.2)."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from ...models import Service
from ...protocol.results import Refused, Result
from ..errors import no_content

REMEMBERED: Final = 600
"""Seconds for which a browser remembers the answer to a preflight."""


def check_origin(request: HttpRequest, service: Service) -> None:
    """Refuse a request of a web page whose origin is none of the service's.

    Callers that are no browser send no origin.
    """
    origin = request.headers.get("Origin")
    if origin is not None and origin not in service.self_service_origins:
        raise Refused(Result.ORIGIN_NOT_ALLOWED)


def is_preflight(request: HttpRequest) -> bool:
    """Whether a browser asks beforehand what it may send."""
    asks = "Access-Control-Request-Method" in request.headers
    return request.method == "OPTIONS" and "Origin" in request.headers and asks


def preflight_response(methods: tuple[str, ...]) -> HttpResponse:
    """204 with the methods and the one header that a web page may send."""
    response = no_content()
    response["Access-Control-Allow-Methods"] = ", ".join(methods)
    response["Access-Control-Allow-Headers"] = "Authorization"
    response["Access-Control-Max-Age"] = str(REMEMBERED)
    return response


def share(request: HttpRequest, response: HttpResponse, service: Service | None) -> HttpResponse:
    """The response, which a web page of one of the service's origins may read."""
    patch_vary_headers(response, ["Origin"])
    origin = request.headers.get("Origin", "")
    if service is not None and origin in service.self_service_origins:
        response["Access-Control-Allow-Origin"] = origin
    return response
