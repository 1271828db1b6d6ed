"""What a log may say of a request: its method and its view, never its path or its query.

A path may hold a credential, such as `/auth/token/delete/<value>`, and so may a query that somebody
typed. Django's own loggers write paths; the filter here takes them out of every record that is
about a request, whatever its status, together with what hangs on the record: the request itself,
which error e-mails quote, and the texts of errors, which may quote a path.
"""

import logging
import traceback
from typing import Any, Final

METHODS: Final = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"}
)
WRONG_HOST: Final = "django.security.DisallowedHost"
"""This logger's text has the Host alone, which an operator has to see."""
FRAMES: Final = 100
"""Stack frames of an error, at most: those nearest to where it was raised."""


class WithoutPaths(logging.Filter):
    """A filter for every handler of a host's `LOGGING`: "Security" says how."""

    def filter(self, record: logging.LogRecord) -> bool:
        """True; a record that is about a request has lost the request's path."""
        if getattr(record, "request", None) is not None:
            redact(record)
        return True


def redact(record: logging.LogRecord, match: Any = None) -> None:
    """Replace what a record says of a request by its method, its view, its status and its error.

    `match` is the `ResolverMatch` of a request that does not know it, such as a socket.
    """
    request: Any = record.__dict__.get("request")
    record.__dict__["request"] = None
    record.__dict__["gm_request_id"] = getattr(request, "gm_request_id", "")
    if record.name == WRONG_HOST:
        return
    said = [str(record.__dict__.get("status_code", record.levelname.lower()))]
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        said.append(type(error).__qualname__)
        said += frames_of(error) if record.levelno >= logging.ERROR else []
    record.msg, record.args = "%s: %s", (where(request, _line(record), match), "\n  ".join(said))
    record.exc_info = record.exc_text = record.stack_info = None


def where(request: Any, line: str = "", match: Any = None) -> str:
    """The method of a request and the name of its view. `line`: its first line, if known."""
    method = getattr(request, "method", None) or line.partition(" ")[0]
    match = match or getattr(request, "resolver_match", None)
    func = getattr(match.func, "view_class", match.func) if match else None
    # The method is the client's to choose, too.
    known = method if method in METHODS else "?"
    return f"{known} {getattr(func, '__qualname__', 'before any view')}"


def _line(record: logging.LogRecord) -> str:
    """The request line, which Django's development server logs; "": another record."""
    args = record.args if record.name == "django.server" else ()
    return str(args[0]) if isinstance(args, tuple) and args else ""


def frames_of(error: BaseException) -> list[str]:
    """The last stack frames of an error, without source lines."""
    stack = traceback.extract_tb(error.__traceback__, limit=-FRAMES)
    return [f"{one.filename}:{one.lineno} in {one.name}" for one in stack]
