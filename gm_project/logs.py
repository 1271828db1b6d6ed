"""The log of the standalone project: lines with their time (UTC) and level, on standard error."""

import logging
from typing import Any, Final


def without_frames(record: logging.LogRecord) -> bool:
    """A filter: what Django's security loggers say of a request has no stack frames.

    Anybody can send a wrong Host. The message says which setting it may have to be added to.
    """
    if record.name.startswith("django.security."):
        record.exc_info = record.exc_text = None
    return True


def configuration(*, as_json: bool, calls: bool) -> dict[str, Any]:
    """Django's `LOGGING`. `as_json`: lines are JSON objects; `calls`: each call has a line."""
    changed = dict(_LOGGING)
    if as_json:
        changed["formatters"] = {"line": {"()": "grant_management.call_lines.JSONLine"}}
    if calls:
        changed["loggers"] = _LOGGING["loggers"] | {"grant_management.calls": {"level": "INFO"}}
    return changed


_LOGGING: Final[dict[str, Any]] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "grant_management.call_lines.Line",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        }
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
