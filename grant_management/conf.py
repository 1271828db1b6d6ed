"""The settings of the app: `GRANT_MANAGEMENT` in the host's settings, read when first used."""

from datetime import timedelta
from functools import cache
from typing import Any, Final

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver

DEFAULTS: Final[dict[str, Any]] = {
    # Bytes of a request's body.
    "MAX_BODY_SIZE": 1_048_576,
    # Calls for each API token, as "100/s", "1000/m", "50000/h"; None: unlimited.
    "THROTTLE_RATE": None,
    # The header in which a proxy hands on the client's TLS certificate; None: no proxy does.
    "CLIENT_CERTIFICATE_HEADER": None,
    # Networks of the proxies that may set it, as "10.0.0.0/8"; from elsewhere it is ignored.
    "TRUSTED_PROXIES": [],
    # True: no header whose name has an underscore gets through; the proxies or the server drop it.
    "UNDERSCORES_ARE_DROPPED": False,
    # The number of the service that django-oauth-toolkit's tokens belong to; None: the only one.
    "OAUTH_TOOLKIT_SERVICE": None,
    # Days that events are kept; None: for ever.
    "EVENT_RETENTION_DAYS": None,
    # Of so many calls one is logged, where a service keeps a log; 1: each.
    "CALL_LOG_SAMPLE": 1,
    # Bytes of what one grant holds, as JSON; and pairs of a scope and a resource in it.
    "MAX_GRANT_CONTENT": 262_144,
    "MAX_GRANT_PAIRS": 10_000,
    # Bytes of a line of an import.
    "MAX_IMPORT_LINE": 1_048_576,
}


@cache
def configured() -> dict[str, Any]:
    """What the host set: a dict, or nothing."""
    value = getattr(settings, "GRANT_MANAGEMENT", {})
    return value if isinstance(value, dict) else {}


@receiver(setting_changed)
def _forget(*, setting: str, **_signal: Any) -> None:
    """Tests change settings; a server never does."""
    if setting == "GRANT_MANAGEMENT":
        configured.cache_clear()


def max_body_size() -> int:
    """Bytes that a request's body may have."""
    return int(configured().get("MAX_BODY_SIZE", DEFAULTS["MAX_BODY_SIZE"]))


def max_grant_content() -> int:
    """Bytes that the JSON texts of one grant may have together."""
    return int(configured().get("MAX_GRANT_CONTENT", DEFAULTS["MAX_GRANT_CONTENT"]))


def max_grant_pairs() -> int:
    """Pairs of a scope and a resource that one grant may have."""
    return int(configured().get("MAX_GRANT_PAIRS", DEFAULTS["MAX_GRANT_PAIRS"]))


def max_import_line() -> int:
    """Bytes that a line of an import may have."""
    return int(configured().get("MAX_IMPORT_LINE", DEFAULTS["MAX_IMPORT_LINE"]))


def event_retention() -> timedelta | None:
    """How long events are kept; None: for ever."""
    days = configured().get("EVENT_RETENTION_DAYS")
    return None if days is None else timedelta(days=int(days))


def call_log_sample() -> int:
    """Of how many calls one is logged."""
    return int(configured().get("CALL_LOG_SAMPLE", DEFAULTS["CALL_LOG_SAMPLE"]))


def throttle_rate() -> str | None:
    """Calls for each API token, as Django REST framework writes rates; None: unlimited."""
    rate: str | None = configured().get("THROTTLE_RATE", DEFAULTS["THROTTLE_RATE"])
    return rate
