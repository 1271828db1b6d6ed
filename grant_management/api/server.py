"""Peculiarities of the WSGI server that a request came through (PEP 3333)."""

from collections.abc import Mapping
from typing import Any, Final

_GRANIAN: Final = "Granian"


def hides_broken_bodies(environ: Mapping[str, Any]) -> bool:
    """Whether a truncated body looks like a complete one, where no length was announced.

    granian returns the bytes that arrived, and then the end of the body, although the request is
    incomplete (RFC 9112 §8).
    """
    return environ.get("SERVER_SOFTWARE") == _GRANIAN


def folds_underscores(environ: Mapping[str, Any]) -> bool:
    """Whether `X_Name` and `X-Name` arrive as one header: `HTTP_X_NAME`.

    granian passes on both. gunicorn, waitress, Apache, Django's own server and ASGI drop names
    with an underscore.
    """
    return environ.get("SERVER_SOFTWARE") == _GRANIAN
