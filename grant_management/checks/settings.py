"""System checks: what is wrong with the host's settings, before the first request."""

import ipaddress
import re
from collections.abc import Sequence
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.db import DatabaseError

from .. import conf
from ..api.client_certificate import has_two_spellings
from ..db import clock, primary

MIDDLEWARE = "grant_management.middleware.JSONErrorsMiddleware"


@register(Tags.compatibility)
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """`GRANT_MANAGEMENT` is a dict of known keys with usable values."""
    if not isinstance(getattr(settings, "GRANT_MANAGEMENT", {}), dict):
        return [Error("GRANT_MANAGEMENT must be a dict.", id="grant_management.E001")]
    return [*_unknown_keys(), *_unusable_values()]


@register(Tags.compatibility)
def check_middleware(**kwargs: Any) -> list[CheckMessage]:
    """Django's own errors come as JSON only where the app's middleware stands outermost."""
    if next(iter(settings.MIDDLEWARE), None) == MIDDLEWARE:
        return []
    message = "Errors that arise before the app's views will not be JSON."
    hint = f"Put {MIDDLEWARE!r} first in MIDDLEWARE."
    return [CheckWarning(message, hint=hint, id="grant_management.W001")]


@register(Tags.database)
def check_clock(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """A server's clock should agree with the database's: its logs and its TLS go by its own."""
    if primary.alias() not in (databases or ()):
        return []
    try:
        seconds = clock.difference().total_seconds()
    except DatabaseError:
        return []  # what is wrong with the database is told elsewhere
    if abs(seconds) <= clock.CLOCK_TOLERANCE.total_seconds():
        return []
    message = f"This server's clock is {seconds:+.0f} s off the database's clock."
    hint = "Grants and tokens take the database's time. Set the clocks of both by NTP."
    return [CheckWarning(message, hint=hint, id="grant_management.W002")]


@register(Tags.security)
def check_certificate_header(**kwargs: Any) -> list[CheckMessage]:
    """A header with a dash in its name has two spellings, of which proxies strip one."""
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
    unknown = sorted(conf.configured().keys() - conf.DEFAULTS.keys())
    hint = f"Known are: {', '.join(conf.DEFAULTS)}."
    return [
        Error(
            f"GRANT_MANAGEMENT has an unknown key {key!r}.", hint=hint, id="grant_management.E002"
        )
        for key in unknown
    ]


def _unusable_values() -> list[CheckMessage]:
    rate = conf.throttle_rate()
    errors = [
        Error(f"GRANT_MANAGEMENT[{key!r}] must be {what}.", id=f"grant_management.{number}")
        for key, (what, number) in _NUMBERS.items()
        if not _is_number_above_0(conf.configured().get(key, conf.DEFAULTS[key] or 1))
    ]
    if rate is not None and not re.fullmatch(r"[1-9][0-9]*/[smhd][a-z]*", str(rate)):
        message = "GRANT_MANAGEMENT['THROTTLE_RATE'] must be None or a rate such as '100/s'."
        errors.append(Error(message, id="grant_management.E004"))
    if not isinstance(conf.configured().get("UNDERSCORES_ARE_DROPPED", False), bool):
        message = "GRANT_MANAGEMENT['UNDERSCORES_ARE_DROPPED'] must be True or False."
        errors.append(Error(message, id="grant_management.E009"))
    return [*errors, *_unusable_proxies(), *([] if errors else _lines_too_short())]


def _lines_too_short() -> list[CheckMessage]:
    """What is exported here could not be imported here."""
    needed = conf.max_grant_content() + ROOM
    if conf.max_import_line() >= needed:
        return []
    message = "GRANT_MANAGEMENT['MAX_IMPORT_LINE'] is too short for a grant of MAX_GRANT_CONTENT."
    return [Error(message, hint=f"Set at least {needed}.", id="grant_management.E014")]


_NUMBERS = {
    "MAX_BODY_SIZE": ("a number of bytes above 0", "E003"),
    "EVENT_RETENTION_DAYS": ("None or a number above 0", "E007"),
    "CALL_LOG_SAMPLE": ("a number above 0", "E008"),
    "MAX_GRANT_CONTENT": ("a number of bytes above 0", "E011"),
    "MAX_GRANT_PAIRS": ("a number above 0", "E012"),
    "MAX_IMPORT_LINE": ("a number of bytes above 0", "E013"),
}
ROOM: Final = 65_536
"""Bytes that a record of a grant takes besides what the grant holds."""


def _is_number_above_0(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _unusable_proxies() -> list[CheckMessage]:
    networks = conf.configured().get("TRUSTED_PROXIES", [])
    header = conf.configured().get("CLIENT_CERTIFICATE_HEADER")
    try:
        trusted = [ipaddress.ip_network(network) for network in networks]
    except (ValueError, TypeError):
        message = "GRANT_MANAGEMENT['TRUSTED_PROXIES'] must be a list of networks: '10.0.0.0/8'."
        return [Error(message, id="grant_management.E005")]
    if header and not trusted:
        message = "A CLIENT_CERTIFICATE_HEADER is read from TRUSTED_PROXIES only: name them."
        return [Error(message, id="grant_management.E006")]
    return []
