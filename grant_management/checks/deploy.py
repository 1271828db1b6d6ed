"""System checks of what is set for a server in production: `check --deploy` and `doctor`."""

import sys
import sysconfig
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Tags, register

from ..conf import app_settings
from ..management.advice import found

KEY_LENGTH, KEY_CHARACTERS = 50, 5
"""A key has at least so many characters, and so many different ones, as Django's own check says."""
NOT_SHARED: Final = ("LocMemCache", "DummyCache")


@register(Tags.security, deploy=True)
def check_debug(**kwargs: Any) -> list[CheckMessage]:
    """W007: DEBUG is on."""
    return [found("W007", "DEBUG shows code and settings to everybody.")] if settings.DEBUG else []


@register(Tags.security, deploy=True)
def check_key(**kwargs: Any) -> list[CheckMessage]:
    """W008: the secret key can be guessed."""
    key = str(getattr(settings, "SECRET_KEY", ""))
    is_strong = len(key) >= KEY_LENGTH and len(set(key)) >= KEY_CHARACTERS
    if is_strong and not key.startswith("django-insecure-"):
        return []
    return [found("W008", "SECRET_KEY is short or not random: sessions can be forged.")]


@register(Tags.security, deploy=True)
def check_hosts(**kwargs: Any) -> list[CheckMessage]:
    """W009: any Host is taken, or none."""
    if settings.ALLOWED_HOSTS and "*" not in settings.ALLOWED_HOSTS:
        return []
    return [found("W009", "ALLOWED_HOSTS takes every name, or none.")]


@register(Tags.security, deploy=True)
def check_cookies(**kwargs: Any) -> list[CheckMessage]:
    """W010: a browser would send an operator's session without TLS."""
    is_safe = settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE
    if is_safe or not _has_sessions():
        return []
    return [found("W010", "Browsers send the cookies of the admin without TLS, too.")]


@register(Tags.security, deploy=True)
def check_hsts(**kwargs: Any) -> list[CheckMessage]:
    """W011: a browser may be led to the admin without TLS (RFC 6797)."""
    if settings.SECURE_HSTS_SECONDS or not _has_sessions():
        return []
    return [found("W011", "Browsers are not told to come by TLS only (HSTS).")]


@register(Tags.caches, deploy=True)
def check_throttle(**kwargs: Any) -> list[CheckMessage]:
    """W012: each process counts calls on its own."""
    backend = settings.CACHES.get("default", {}).get("BACKEND", "")
    if app_settings.throttle_rate is None or not backend.endswith(NOT_SHARED):
        return []
    return [found("W012", "THROTTLE_RATE is counted in a cache that processes do not share.")]


@register(deploy=True)
def check_python(**kwargs: Any) -> list[CheckMessage]:
    """W013: this Python was built without optimisation by profile.

    Distributions build theirs in their own way, and do not show it: Debian's 3.11 is optimised,
    without a word of it in CONFIG_ARGS. So nothing is said of a Python in /usr.
    """
    arguments = sysconfig.get_config_var("CONFIG_ARGS")
    if not arguments or "--enable-optimizations" in arguments or sys.base_prefix == "/usr":
        return []
    return [found("W013", "This Python was built without optimisation, and is slower.")]


def _has_sessions() -> bool:
    return "django.contrib.sessions" in settings.INSTALLED_APPS
