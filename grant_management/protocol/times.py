"""Times as numbers: NumericDate (RFC 7519 §2) in records, milliseconds in Authlete's members.

Conversions are exact to the microsecond, which a float of seconds is not in every year up to 9999.
"""

from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final

from . import numbers

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_BEYOND: Final = (datetime.max.replace(tzinfo=UTC) - EPOCH) // _MICROSECOND
"""Microseconds from 1970 to the end of the year 9999."""


class Unit(Enum):
    """The unit of a time: its name, and the decimal places that a microsecond has in it."""

    SECONDS = ("seconds", 6)
    MILLISECONDS = ("milliseconds", 3)

    def __init__(self, label: str, places: int) -> None:
        self.label = label
        self.places = places


def read(text: str, unit: Unit) -> datetime:
    """The moment of a JSON number; fractions of a microsecond are cut off.

    ValueError: it is not a number, or not a moment from 1970 to the end of the year 9999.
    """
    microseconds, _is_exact = numbers.scaled(text, unit.places)
    if not 0 <= microseconds <= _BEYOND:
        raise ValueError("not between 1970 and 9999")
    return EPOCH + timedelta(microseconds=microseconds)


def to_seconds(at: datetime) -> int:
    """Whole seconds since 1970; the fraction is cut off."""
    return (at - EPOCH) // timedelta(seconds=1)


def to_milliseconds(at: datetime) -> int:
    """Whole milliseconds since 1970; the fraction is cut off."""
    return (at - EPOCH) // timedelta(milliseconds=1)


def to_microseconds(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - EPOCH) // _MICROSECOND


def exact_seconds(at: datetime) -> str:
    """Seconds since 1970 as a JSON number, to the microsecond."""
    microseconds = to_microseconds(at)
    sign, magnitude = "-" if microseconds < 0 else "", abs(microseconds)
    whole, fraction = divmod(magnitude, 1_000_000)
    return f"{sign}{whole}.{fraction:06}".rstrip("0").rstrip(".") if fraction else f"{sign}{whole}"
