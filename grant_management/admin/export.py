"""Files to take away: streamed, in flat memory."""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from django.http import StreamingHttpResponse

_RISKY: Final = ("=", "+", "-", "@", "\t", "\r")
# Of these characters no formula can be made that does anything: a grant ID stays what it is.
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9._~-]*\Z")


def attachment(lines: Iterator[str], name: str, media_type: str) -> StreamingHttpResponse:
    """A file that the browser saves."""
    response = StreamingHttpResponse(lines, content_type=media_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def as_csv_line(values: Iterable[Any]) -> str:
    """One line (RFC 4180)."""
    return str(csv.writer(_Line()).writerow([_cell(value) for value in values]))


class _Line:
    """A file whose write hands the line back."""

    def write(self, line: str) -> str:
        return line


def _cell(value: Any) -> Any:
    """A spreadsheet takes a cell that starts so for a formula: a quote makes it text."""
    if isinstance(value, datetime):
        return value.isoformat()
    risky = isinstance(value, str) and value.startswith(_RISKY) and not _UNRESERVED.match(value)
    return f"'{value}" if risky else value
