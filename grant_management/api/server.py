"""What is known of the server that a request came through (WSGI: PEP 3333)."""

from collections.abc import Mapping
from typing import Any, Final

_GRANIAN: Final = "Granian"


def hides_broken_bodies(environ: Mapping[str, Any]) -> bool:
    """Whether a body that breaks off looks like one that ended, where no length was announced.

    granian gives what had arrived, and then the end (RFC 9112 §8 calls such a request
    incomplete).
    """
    return environ.get("SERVER_SOFTWARE") == _GRANIAN


def folds_underscores(environ: Mapping[str, Any]) -> bool:
    """Whether `X_Name` and `X-Name` arrive as one header: `HTTP_X_NAME`.

    granian hands on both; gunicorn, waitress, Apache, Django's own server and ASGI drop names with
    an underscore.
    """
    return environ.get("SERVER_SOFTWARE") == _GRANIAN
