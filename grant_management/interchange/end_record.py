"""The last record: how many came before it, so that a part of a file is not taken for the whole."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from ..protocol import numbers, strict_json
from ..protocol.strict_json import Literal

TYPE: Final = "end"


class Error(NamedTuple):
    """What is wrong on a line."""

    line: int
    message: str


class Numbered(Protocol):
    """A line of a file."""

    @property
    def number(self) -> int:
        """Counted from 1."""

    @property
    def text(self) -> bytes:
        """As it stands there."""


L = TypeVar("L", bound=Numbered)


def end_record(number: int) -> str:
    """The record behind so many others."""
    return json.dumps({"type": TYPE, "records": number}, separators=(",", ":"))


@dataclass
class End:
    """What is seen of it while the lines are read."""

    records: int = 0
    line: int | None = None
    problems: list[Error] = field(default_factory=list)

    def watch(self, lines: Iterable[L]) -> Iterator[L]:
        """The lines before it. One behind it is a problem, and the last line that is read."""
        for line in lines:
            if self.line is not None:
                self.problems.append(Error(line.number, "stands behind the end record"))
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
    """The end record of a line, or None: it is another one, or none that can be read."""
    if b'"end"' not in text:
        return None
    try:
        record = strict_json.loads(text.strip(), keep_numbers=True)
    except ValueError:
        return None
    return record if isinstance(record, dict) and record.get("type") == TYPE else None
