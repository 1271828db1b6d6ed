"""One line of the log for each call: the logger `grant_management.calls`, at the level INFO.

Whoever wants the lines lets that logger have this level, and chooses a formatter.
"""

import json
import logging
import time
from typing import Any, Final

from . import request_id
from .request_log import frames_of

logger: Final = logging.getLogger("grant_management.calls")
MEMBERS: Final = ("door", "action", "service", "tokenId", "status", "code", "ms")
"""What a line says of a call, in this order, beside its time, its level and the request's ID."""
_CALL: Final = "grant_management_call"


def write(**members: str | int | float) -> None:
    """Write the line of a call that was answered, without the `MEMBERS` that are empty."""
    if not logger.isEnabledFor(logging.INFO):
        return
    said = {name: members[name] for name in MEMBERS if members.get(name, "") != ""}
    text = " ".join(f"{name}={value}" for name, value in said.items())
    logger.info("%s", text, extra={_CALL: said})


class Line(logging.Formatter):
    """`2026-01-31T23:59:59.000Z WARNING logger: message request=ID`: the time is UTC."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def formatException(self, ei: Any) -> str:  # noqa: N802 - its name there
        """The class and the frames of an error. Its text may quote a value."""
        return "\n  ".join([ei[0].__qualname__, *frames_of(ei[1])]) if ei[1] else ""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with the ID of the request in hand, if there is one."""
        line, of_request = super().format(record), _request_of(record)
        if not of_request:
            return line
        first, newline, frames = line.partition("\n")
        return f"{first} request={of_request}{newline}{frames}"


class JSONLine(Line):
    """The same as one JSON object a line: time, level, logger, message, requestId; and of a call
    its members.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The object; the class and the frames of an error are in `error`."""
        call: dict[str, Any] | None = getattr(record, _CALL, None)
        said = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "requestId": _request_of(record),
            **(call or {"message": record.getMessage()}),
            "error": self.formatException(record.exc_info) if record.exc_info else "",
        }
        return json.dumps({name: value for name, value in said.items() if value != ""})


def _request_of(record: logging.LogRecord) -> str:
    """Django writes a line about a refusal after all middleware: `redact` has kept its ID."""
    return request_id.current() or str(getattr(record, "gm_request_id", ""))
