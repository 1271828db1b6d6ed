"""The settings of the app: `GRANT_MANAGEMENT` in the host's settings, read when used."""

from typing import Any, Final

from django.conf import settings

DEFAULTS: Final[dict[str, Any]] = {
    # Bytes of a request's body.
    "MAX_BODY_SIZE": 1_048_576,
    # Calls for each API token, as "100/s", "1000/m", "50000/h"; None: unlimited.
    "THROTTLE_RATE": None,
}


def configured() -> dict[str, Any]:
    """What the host set: a dict, or nothing."""
    value = getattr(settings, "GRANT_MANAGEMENT", {})
    return value if isinstance(value, dict) else {}


def max_body_size() -> int:
    """Bytes that a request's body may have."""
    return int(configured().get("MAX_BODY_SIZE", DEFAULTS["MAX_BODY_SIZE"]))


def throttle_rate() -> str | None:
    """Calls for each API token, as Django REST framework writes rates; None: unlimited."""
    rate: str | None = configured().get("THROTTLE_RATE", DEFAULTS["THROTTLE_RATE"])
    return rate
