"""The log of the standalone project: lines with their time (UTC) and level, on standard error."""

import logging
import time
from typing import Any, Final


class Line(logging.Formatter):
    """`2026-01-31T23:59:59.000Z WARNING logger: message`."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"


def without_frames(record: logging.LogRecord) -> bool:
    """A filter: what Django's security loggers say of a request has no stack frames.

    Anybody can send a wrong Host. The message says which setting it may have to be added to.
    """
    if record.name.startswith("django.security."):
        record.exc_info = record.exc_text = None
    return True


LOGGING: Final[dict[str, Any]] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": Line, "format": "{asctime} {levelname} {name}: {message}", "style": "{"}
    },
    # A path or a query may hold a credential: every handler has the filter `without_paths`.
    "filters": {
        "without_paths": {"()": "grant_management.request_log.WithoutPaths"},
        "without_frames": {"()": lambda: without_frames},
        "not_debug": {"()": "django.utils.log.RequireDebugFalse"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["without_paths", "without_frames"],
        },
        "mail_admins": {
            "class": "django.utils.log.AdminEmailHandler",
            "level": "ERROR",
            "filters": ["not_debug", "without_paths"],
        },
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    # In place of Django's own handlers, which have no such filter.
    "loggers": {
        "django": {"handlers": ["mail_admins"]},
        "django.server": {"handlers": ["console"], "propagate": False},
    },
}
OF_GRANIAN: Final[dict[str, Any]] = {
    "loggers": {"_granian": {"handlers": [], "propagate": True}, "granian.access": {}}
}
"""What changes in granian's own: its messages go where all others go."""
