"""System checks of the host's settings, before the first request."""

from importlib.util import find_spec
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning

from ..api.client_certificate import has_two_spellings
from ..conf import Settings, app_settings, configured
from .apart import check_apart

ROOM: Final = 65_536
"""Bytes that the record of a grant in an export has besides what the grant holds, at most."""
MIDDLEWARE = "grant_management.middleware.JSONErrorsMiddleware"
REQUEST_ID = "grant_management.middleware.RequestIDMiddleware"


@register(Tags.compatibility)
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Errors where `GRANT_MANAGEMENT` is not a dict of known keys with usable values."""
    if not isinstance(getattr(settings, "GRANT_MANAGEMENT", {}), dict):
        return [Error("GRANT_MANAGEMENT must be a dict.", id="grant_management.E001")]
    return [*_unknown_keys(), *_unusable_values()]


@register(Tags.compatibility)
def check_time_zones(**kwargs: Any) -> list[CheckMessage]:
    """An error where `USE_TZ` is False: the app's times have a zone."""
    if settings.USE_TZ:
        return []
    hint = "Remove USE_TZ = False: Django's default is True."
    return [Error("USE_TZ must be True.", hint=hint, id="grant_management.E020")]


@register(Tags.compatibility)
def check_middleware(**kwargs: Any) -> list[CheckMessage]:
    """A warning where the app's middleware is not first: Django's own errors would not be JSON."""
    others = (one for one in settings.MIDDLEWARE if one != REQUEST_ID)
    if next(others, None) == MIDDLEWARE:
        return []
    message = "Errors that arise before the app's views will not be JSON."
    hint = f"Put {MIDDLEWARE!r} first in MIDDLEWARE."
    return [CheckWarning(message, hint=hint, id="grant_management.W001")]


@register(Tags.compatibility)
def check_extras(**kwargs: Any) -> list[CheckMessage]:
    """Errors where calls are to be counted or traced, and the library for it is missing."""
    return [
        *_lacks("METRICS", "prometheus_client", "prometheus", "grant_management.E034"),
        *_lacks("TRACES", "opentelemetry", "otel", "grant_management.E036"),
    ]


def _lacks(key: str, module: str, extra: str, number: str) -> list[CheckMessage]:
    if configured().get(key) is not True or find_spec(module) is not None:
        return []
    hint = f"Install django-grant-management[{extra}], or leave {key} out."
    return [Error(f"{key} needs {module}.", hint=hint, id=number)]


@register(Tags.security)
def check_certificate_header(**kwargs: Any) -> list[CheckMessage]:
    """A warning where the certificate's header has a second spelling, which a client may send."""
    if not has_two_spellings():
        return []
    message = "A client may send CLIENT_CERTIFICATE_HEADER itself, with underscores for dashes."
    hint = (
        "Choose a name without dashes; or see to it that the proxies or the server drop names with"
        " underscores, and say so: GRANT_MANAGEMENT['UNDERSCORES_ARE_DROPPED'] = True. granian does"
        " not drop them, so under granian the header is ignored until you do."
    )
    return [CheckWarning(message, hint=hint, id="grant_management.W003")]


def _unknown_keys() -> list[CheckMessage]:
    known = [setting.key for setting in Settings.all()]
    return [
        Error(
            f"GRANT_MANAGEMENT has an unknown key {key!r}.",
            hint=f"Known are: {', '.join(known)}.",
            id="grant_management.E002",
        )
        for key in sorted(configured().keys() - set(known))
    ]


def _unusable_values() -> list[CheckMessage]:
    errors: list[CheckMessage] = [
        Error(
            f"GRANT_MANAGEMENT[{setting.key!r}] must be {setting.must_be}.",
            id=f"grant_management.{setting.error}",
        )
        for setting in Settings.all()
        if not setting.is_usable(configured().get(setting.key, setting.default))
    ]
    return errors or [*_header_without_proxies(), *_lines_too_short(), *check_apart()]


def _header_without_proxies() -> list[CheckMessage]:
    if not app_settings.client_certificate_header or app_settings.trusted_proxies:
        return []
    message = "A CLIENT_CERTIFICATE_HEADER is read from TRUSTED_PROXIES only: name them."
    return [Error(message, id="grant_management.E006")]


def _lines_too_short() -> list[CheckMessage]:
    """An error where the largest grant that can be exported here could not be imported here."""
    needed = app_settings.max_grant_content + ROOM
    if app_settings.max_import_line >= needed:
        return []
    message = "GRANT_MANAGEMENT['MAX_IMPORT_LINE'] is too short for a grant of MAX_GRANT_CONTENT."
    return [Error(message, hint=f"Set at least {needed}.", id="grant_management.E014")]
