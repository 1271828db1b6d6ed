"""Exported files: complete, or an error.

A file is written completely before its first byte is sent, and is sent with its length. So an
export that fails midway is an error page, and a client sees when a transfer broke off, whatever the
server does. Rows are read a turn at a time: memory stays flat, and no statement takes long.
"""

import csv
import io
import json
import re
import secrets
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
"""Rows that one turn of an export looks at, before any condition."""
WEIGHT: Final = 1_000_000
"""The most bytes of large columns in memory at once; a row with more is read alone."""
CAME: Final = "grant_management_file"
"""A cookie with another value for each file."""
BLOCK: Final = 1_048_576
"""The most bytes of a file in memory; a longer file is on disk until it is sent."""
MARK: Final = "\ufeff"
"""The byte order mark, which tells a spreadsheet that a file is UTF-8."""
# A character that starts a formula, also in its full-width form, after any characters that a
# spreadsheet skips; or a tab or line end.
_FORMULA: Final = re.compile(
    r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2060\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]"
)
# The unreserved characters (RFC 3986 §2.3) cannot form a formula that does anything. So a grant ID
# that begins with "-" is not changed.
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9._~-]*\Z")


class Attachment(FileResponse):
    """A file that the browser saves, sent in blocks. A short file is a single block, so sending it
    does not keep a thread of the server.
    """

    block_size = BLOCK


def attachment(pieces: Iterable[str], name: str, media_type: str) -> FileResponse:
    """A response with these pieces as a file. An exception from the pieces is raised here, before
    anything is sent.
    """
    sent: IO[bytes]
    # Closes the temporary file, unless the response sends it from the disk: then that closes it.
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
    response = Attachment(sent, as_attachment=True, filename=name, content_type=media_type)
    # A page that shows progress learns from it that the file has come.
    response.set_cookie(
        CAME,
        secrets.token_hex(8),
        max_age=60,
        samesite="Lax",
        secure=bool(settings.SESSION_COOKIE_SECURE),
    )
    return response


def in_parts(turns: Iterable[Rows], weight: Any) -> Iterator[Any]:
    """The rows of all turns, with at most `WEIGHT` bytes of large columns in memory at once.

    `weight` is the SQL expression of how many bytes a row has of them.
    """
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
    """The lines of a CSV file (RFC 4180), with the names as the header.

    The last line is `end` and the number of rows, without the header: a file that lacks it is not
    complete.
    """
    number = 0
    yield MARK + as_csv_line(names)
    for number, row in enumerate(rows, 1):  # noqa: B007 - the last number counts
        yield as_csv_line(row)
    yield as_csv_line(["end", number, *[""] * (len(names) - 2)])


def json_lines(records: Iterable[str]) -> Iterator[str]:
    """The lines of a JSON Lines file: the records, and a last line with their number."""
    number = 0
    for number, record in enumerate(records, 1):  # noqa: B007 - the last number counts
        yield record + "\n"
    yield json.dumps({"type": "end", "records": number}, separators=(",", ":")) + "\n"


def as_csv_line(values: Iterable[Any]) -> str:
    """One line of CSV. Every value is quoted, so that a spreadsheet that separates values at `;`
    does not split a value that contains one.
    """
    line = csv.writer(_Line(), quoting=csv.QUOTE_ALL)
    return str(line.writerow([_cell(value) for value in values]))


class _Line:
    """A file whose `write` returns the line: `csv` writes to files only."""

    def write(self, line: str) -> str:
        return line


def _cell(value: Any) -> Any:
    """A value for a cell, with a quote before a text that a spreadsheet would run as a formula."""
    if isinstance(value, datetime):
        return in_utc(value)
    risky = isinstance(value, str) and _FORMULA.match(value) and not _UNRESERVED.match(value)
    return f"'{value}" if risky else value
