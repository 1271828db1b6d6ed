"""The end record: the number of records before it, which reveals a truncated file."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from ..protocol import numbers, strict_json
from ..protocol.strict_json import Literal

TYPE: Final = "end"


class Error(NamedTuple):
    """What is wrong on a line of the file."""

    line: int
    message: str


class Numbered(Protocol):
    """A line of a file."""

    @property
    def number(self) -> int:
        """The line's number, counted from 1."""

    @property
    def text(self) -> bytes:
        """The line's text."""


L = TypeVar("L", bound=Numbered)


def end_record(number: int) -> str:
    """The text of the end record of a file with this many records."""
    return json.dumps({"type": TYPE, "records": number}, separators=(",", ":"))


@dataclass
class End:
    """The end record of a file that is being read.

    `records` is the number before it so far, `line` its own line (None: not read yet).
    """

    records: int = 0
    line: int | None = None
    problems: list[Error] = field(default_factory=list)

    def watch(self, lines: Iterable[L]) -> Iterator[L]:
        """The lines before it. A line after it is a problem, and ends the reading."""
        for line in lines:
            if self.line is not None:
                self.problems.append(Error(line.number, "comes after the end record"))
                return
            record = _end(line.text)
            if record is None:
                self.records += 1
                yield line
            else:
                self.line = line.number
                self._judge(record)

    def _judge(self, record: dict[str, Any]) -> None:
        if record.keys() != {"type", "records"} or not _is(record["records"], self.records):
            message = (
                f"the end record does not say {self.records} 'records', which stand before it:"
                " a part of the file is missing, or it was changed"
            )
            self.problems.append(Error(self.line or 0, message))


def _is(value: Any, number: int) -> bool:
    """Whether it is this number, however it is written (RFC 8259 §6)."""
    return isinstance(value, Literal) and numbers.parse(value.text) == numbers.parse(str(number))


def _end(text: bytes) -> dict[str, Any] | None:
    """The line's record if it is an end record; None: it is another one, or unreadable."""
    if b'"end"' not in text:  # spares parsing every line twice
        return None
    try:
        record = strict_json.loads(text.strip(), keep_numbers=True)
    except ValueError:
        return None
    return record if isinstance(record, dict) and record.get("type") == TYPE else None
