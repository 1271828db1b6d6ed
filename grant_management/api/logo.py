"""The response with a logo, which caches keep under its digest."""

from typing import Final

from django.http import HttpResponse

from ..models import Logo
from ..protocol.logos import MEDIA_TYPE

YEAR: Final = 31_536_000
"""Seconds. What is under a digest never changes."""


def logo_response(logo: Logo, cache: str) -> HttpResponse:
    """200 with the picture. `cache` is `public` or `private` (RFC 9111 §5.2.2)."""
    content = bytes(logo.content)
    response = HttpResponse(content, content_type=MEDIA_TYPE)
    response["Content-Length"] = str(len(content))
    response["Cache-Control"] = f"{cache}, max-age={YEAR}, immutable"
    response["X-Content-Type-Options"] = "nosniff"
    # Opened by itself it is a picture and nothing else.
    response["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'; sandbox"
    return response
