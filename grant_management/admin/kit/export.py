"""Files to take away: complete, or an error.

A file is written whole before its first byte goes out, with its length. So one that fails midway
is a page that says so, and one whose transfer breaks off is seen to be short, whatever the server
does. What is read meanwhile is a turn at a time: memory stays flat, and nobody waits for long.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final

from django.conf import settings
from django.http import FileResponse

from ...db.keyset import Rows
from .utc import in_utc

TURN: Final = 1_000
"""Rows that a turn looks at."""
WEIGHT: Final = 1_000_000
"""Bytes of large columns in memory at once; a row that has more comes alone."""
BLOCK: Final = 1_048_576
"""Bytes of a file that are in memory; a longer one is on the disk until it is sent."""
MARK: Final = "\ufeff"
"""Tells a spreadsheet that a file is UTF-8."""
# What begins a formula, also in full width; and what a spreadsheet passes over before it.
_FORMULA: Final = re.compile(
    r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2060\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]"
)
# Of these characters no formula can be made that does anything: a grant ID stays what it is.
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9._~-]*\Z")


class Attachment(FileResponse):
    """A file that the browser saves. One of a single block leaves its thread at once."""

    block_size = BLOCK


def attachment(pieces: Iterable[str], name: str, media_type: str) -> FileResponse:
    """The file of these pieces. What they raise, this raises: nothing has gone out then."""
    sent: IO[bytes]
    with ExitStack() as until_sent:
        file = until_sent.enter_context(
            SpooledTemporaryFile(BLOCK, dir=settings.FILE_UPLOAD_TEMP_DIR)
        )
        for piece in pieces:
            file.write(piece.encode())
        is_short = file.tell() <= BLOCK
        file.seek(0)
        if is_short:
            sent = io.BytesIO(file.read())
        else:
            sent = file
            until_sent.pop_all()
    return Attachment(sent, as_attachment=True, filename=name, content_type=media_type)


def in_parts(turns: Iterable[Rows], weight: Any) -> Iterator[Any]:
    """The rows of all turns, no more of them in memory than their weight allows."""
    for turn in turns:
        weighed = turn.annotate(weight=weight).values_list("pk", "weight")
        for keys in _parts(weighed):
            yield from turn.filter(pk__in=keys)


def _parts(weighed: Iterable[tuple[Any, int | None]]) -> Iterator[list[Any]]:
    part: list[Any] = []
    room = WEIGHT
    for key, weight in weighed:
        if part and room < (weight or 0):
            yield part
            part, room = [], WEIGHT
        part.append(key)
        room -= weight or 0
    if part:
        yield part


def csv_lines(names: Sequence[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """A table (RFC 4180). The last row is `end` and the number of rows before it: without it, the
    file is not whole.
    """
    number = 0
    yield MARK + as_csv_line(names)
    for number, row in enumerate(rows, 1):  # noqa: B007 - the last number counts
        yield as_csv_line(row)
    yield as_csv_line(["end", number, *[""] * (len(names) - 2)])


def json_lines(records: Iterable[str]) -> Iterator[str]:
    """Records, a line each, and a last one that says how many there are."""
    number = 0
    for number, record in enumerate(records, 1):  # noqa: B007 - the last number counts
        yield record + "\n"
    yield json.dumps({"type": "end", "records": number}, separators=(",", ":")) + "\n"


def as_csv_line(values: Iterable[Any]) -> str:
    """One line, with quotes around each value: a spreadsheet that takes `;` for what separates
    values finds none in the middle of one.
    """
    line = csv.writer(_Line(), quoting=csv.QUOTE_ALL)
    return str(line.writerow([_cell(value) for value in values]))


class _Line:
    """A file whose write hands the line back."""

    def write(self, line: str) -> str:
        return line


def _cell(value: Any) -> Any:
    """A spreadsheet takes a cell that starts so for a formula: a quote makes it text."""
    if isinstance(value, datetime):
        return in_utc(value)
    risky = isinstance(value, str) and _FORMULA.match(value) and not _UNRESERVED.match(value)
    return f"'{value}" if risky else value
