"""The lines of an import, one in memory at a time, and none longer than it may be."""

from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

BOM: Final = b"\xef\xbb\xbf"
"""Some programs begin UTF-8 with it; a reader may ignore it (RFC 8259 §8.1)."""
_SPACE: Final = b" \t\r\n"


class Line(NamedTuple):
    """A line of the file, counted from 1. One that is too long comes without its text."""

    number: int
    text: bytes
    size: int
    is_whole: bool = True


def lines(stream: BinaryIO, longest: int) -> Iterator[Line]:
    """Those that are not blank; they end with LF or CRLF."""
    number = 0
    while text := stream.readline(longest + 2):
        number += 1
        size = len(text)
        goes_on = len(text) > longest and not text.endswith(b"\n")
        if goes_on or len(text.rstrip(b"\r\n")) > longest:
            size += _skip(stream, longest) if goes_on else 0
            yield Line(number, b"", size, is_whole=False)
            continue
        kept = (text.removeprefix(BOM) if number == 1 else text).strip(_SPACE)
        if kept:
            yield Line(number, kept, size)


def _skip(stream: BinaryIO, size: int) -> int:
    """The rest of a line, a part at a time; how many bytes that were."""
    skipped = 0
    while part := stream.readline(size):
        skipped += len(part)
        if part.endswith(b"\n"):
            break
    return skipped
