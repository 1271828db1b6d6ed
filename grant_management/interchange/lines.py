"""The lines of an import, read one at a time, with a limit on their length."""

from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

BOM: Final = b"\xef\xbb\xbf"
"""Some programs put it before UTF-8 text; a parser may ignore it (RFC 8259 §8.1)."""
_SPACE: Final = b" \t\r\n"


class Line(NamedTuple):
    """A line of the file, counted from 1; `size` is in bytes, with the line end.

    A line that is too long has no text, and `is_whole` is False.
    """

    number: int
    text: bytes
    size: int
    is_whole: bool = True


def lines(stream: BinaryIO, longest: int) -> Iterator[Line]:
    """The lines that are not blank. They end with LF or CRLF; `longest` is in bytes without it."""
    number = 0
    while text := stream.readline(longest + 2):  # with CR and LF
        number += 1
        size = len(text)
        goes_on = len(text) > longest and not text.endswith(b"\n")
        # The text of a line that is too long is never in memory as a whole.
        if goes_on or len(text.rstrip(b"\r\n")) > longest:
            size += _skip(stream, longest) if goes_on else 0
            yield Line(number, b"", size, is_whole=False)
            continue
        kept = (text.removeprefix(BOM) if number == 1 else text).strip(_SPACE)
        if kept:
            yield Line(number, kept, size)


def _skip(stream: BinaryIO, size: int) -> int:
    """Skip the rest of a line, a part at a time; returns its number of bytes."""
    skipped = 0
    while part := stream.readline(size):
        skipped += len(part)
        if part.endswith(b"\n"):
            break
    return skipped
