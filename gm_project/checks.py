"""System checks of the environment variables: `check --deploy` and `doctor`."""

import os
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Tags, register
from django.core.checks import Warning as CheckWarning

ADVICE: Final = {
    "W001": "Set SECRET_KEY to 50 random characters, the same for every server.",
    "W002": "Set ALLOWED_HOSTS to the names that clients use, separated by commas.",
    "W003": "Serve behind a proxy that ends TLS, and set SECURE_PROXY_SSL_HEADER, such as to"
    " X-Forwarded-Proto,https.",
}


@register(Tags.security, deploy=True)
def check_key(**kwargs: Any) -> list[CheckMessage]:
    """W001: each process makes a key for itself. `run.py serve` keeps one in a file."""
    if os.environ.get("SECRET_KEY") or (settings.BASE_DIR / ".secret_key").exists():
        return []
    return [_found("W001", "SECRET_KEY is not set: operators are logged out by each restart.")]


@register(Tags.security, deploy=True)
def check_hosts(**kwargs: Any) -> list[CheckMessage]:
    """W002: only this machine is served."""
    if os.environ.get("ALLOWED_HOSTS"):
        return []
    return [_found("W002", "ALLOWED_HOSTS is not set: only localhost is answered.")]


@register(Tags.security, deploy=True)
def check_tls(**kwargs: Any) -> list[CheckMessage]:
    """W003: the server speaks HTTP alone, and knows of no proxy that ends TLS."""
    if getattr(settings, "SECURE_PROXY_SSL_HEADER", None):
        return []
    return [_found("W003", "The server does not learn which requests came by TLS.")]


def _found(number: str, message: str) -> CheckMessage:
    return CheckWarning(message, hint=ADVICE[number], id=f"gm_project.{number}")
