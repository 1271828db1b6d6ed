"""Members that are whole numbers or times. JSON has one type of number (RFC 8259 §6)."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar, Self

from ..db import clock
from ..protocol import numbers, times
from ..protocol.strict_json import Literal
from ..protocol.times import Unit
from .field import Field
from .words import rule as _


@dataclass(frozen=True)
class WholeNumber(Field):
    """A whole number, however it is written: `3600`, `3600.0` and `3.6E3` are the same."""

    least: int = 0
    most: int = 2**31 - 1
    unit: str = ""
    type: ClassVar[str] = "integer"

    @property
    def sentence(self) -> str:
        """The rule, with both bounds and the unit, if it has one."""
        bounds = {"least": self.least, "most": self.most}
        if not self.unit:
            return _("must be a whole number from %(least)s to %(most)s", **bounds)
        return _(
            "must be a whole number of %(unit)s from %(least)s to %(most)s",
            unit=_(self.unit),
            **bounds,
        )

    def read(self, value: Any) -> int:
        """The number. ValueError: it is not whole, or out of bounds."""
        number, is_whole = self._number(value)
        if not is_whole or not self.least <= number <= self.most:
            raise self.refused()
        return number

    def _number(self, value: Any) -> tuple[int, bool]:
        """The number without its fraction, and whether it is a whole number."""
        if isinstance(value, Literal):
            try:
                return numbers.scaled(value.text)
            except ValueError:
                return 0, False
        is_number = isinstance(value, int) and not isinstance(value, bool)
        return (value, True) if is_number else (0, False)


@dataclass(frozen=True)
class WholeNumberOrText(WholeNumber):
    """A whole number, also as a string of digits, as some clients send it."""

    def read(self, value: Any) -> int:
        """The number. ValueError: it is not whole, or out of bounds."""
        if isinstance(value, str):
            value = Literal(value) if re.fullmatch("[0-9]{1,19}", value) else None
        return super().read(value)


class When(Enum):
    """The moments that a time may have, relative to now. The values are part of the sentence."""

    EVER = "before the year 10000"
    PAST = "not later than now"
    COMING = "later than now and before the year 10000"


@dataclass(frozen=True)
class Time(Field):
    """A moment since 1970, to the microsecond."""

    when: When = When.EVER
    unit: Unit = Unit.SECONDS
    type: ClassVar[str] = "number"

    @property
    def sentence(self) -> str:
        """The rule, with its unit: seconds and milliseconds are easily confused."""
        return f"must be a time in {self.unit.label} since 1970, {self.when.value}"

    def in_milliseconds(self, name: str) -> Self:
        """The same rule under another name, in milliseconds like Authlete's members."""
        return replace(self, name=name, unit=Unit.MILLISECONDS)

    def read(self, value: Any) -> datetime:
        """The moment. ValueError: not a time from 1970 to 9999. `judge` compares it with now."""
        if isinstance(value, datetime):
            return value
        try:
            return times.read(value.text, self.unit)
        except (ValueError, AttributeError):
            raise self.refused() from None

    def judge(self, value: datetime | None, now: datetime) -> None:
        """Raise ValueError if the time is later than `now` but must not be, or the reverse.

        A past time may be ahead of `now` by as much as clocks may differ.
        """
        is_early = self.when is When.COMING and value is not None and value <= now
        if is_early or (self.when is When.PAST and clock.is_future(value, now)):
            raise self.refused()
