"""Files to take away: streamed, in flat memory."""

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.http import StreamingHttpResponse


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
    risky = isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{value}" if risky else value
