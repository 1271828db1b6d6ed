"""Numbers of JSON (RFC 8259 §6): one type, however it is written.

`1900000000000`, `1.9E12` and `19e11` are the same number. A number is kept as it was written, and
compared and converted by its normal form, without rounding.
"""

import re
from typing import Final, NamedTuple

MAX_LENGTH: Final = 1_100
"""Characters. The longest number that means something is the exact value of the smallest binary64
of IEEE 754, which takes 1,077 of them."""
MAX_NUMBER: Final = 2**53 - 1
"""The greatest whole number that every JSON reader keeps exactly (RFC 7493 §2.2)."""
MAX_EXPONENT: Final = 9_999
"""That of binary64 ends at 308, that of decimal128 at 6,176."""
MAX_DIGITS: Final = 20
"""Digits of an integer that is converted: 2^64 has so many."""

_NUMBER: Final = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?)([0-9]+))?\Z")


class Number(NamedTuple):
    """`digits` times 10 to the power of `exponent`; no zero stands first or last in `digits`.

    The exponent is text where it is too long to reckon with: then it is only compared.
    """

    is_negative: bool
    digits: str
    exponent: int | str

    def canonical(self) -> str:
        """The same text for the same number."""
        if not self.digits:
            return "0"
        return f"{'-' if self.is_negative else ''}{self.digits}e{self.exponent}"


def check(text: str) -> None:
    """ValueError for a number that is longer, or larger, than any that means something.

    Such a number is a trap for whoever reads it next: PostgreSQL, Python and JavaScript each give
    up at another size.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"a number has more than {MAX_LENGTH} characters")
    _mantissa, _e, exponent = text.lower().partition("e")
    if exponent and abs(int(exponent)) > MAX_EXPONENT:
        raise ValueError(f"the exponent of a number is beyond {MAX_EXPONENT}")


def parse(text: str) -> Number:
    """The normal form of a number as JSON has it, however long it is. ValueError: it is none."""
    found = _NUMBER.match(text)
    if found is None:
        raise ValueError("not a number")
    sign, whole, fraction, exponent_sign, exponent = found.groups(default="")
    digits = (whole + fraction).lstrip("0")
    stripped = digits.rstrip("0")
    if not stripped:
        return Number(False, "", 0)
    shift = len(digits) - len(stripped) - len(fraction)
    return Number(sign == "-", stripped, _power(exponent_sign, exponent.lstrip("0"), shift))


def scaled(text: str, places: int = 0) -> tuple[int, bool]:
    """A number times 10^`places` without its fraction; and whether it had none.

    ValueError: it is no number, or has more than `MAX_DIGITS` digits.
    """
    if len(text) < MAX_DIGITS and text.isascii() and text.isdigit():  # as nearly all are written
        return int(text) * 10**places, True
    is_negative, digits, power = parse(text)
    if not digits:
        return 0, True
    if isinstance(power, str) or len(digits) + power + places > MAX_DIGITS:
        raise ValueError("more digits than any number here has")
    power += places
    kept = digits if power >= 0 else digits[:power]
    magnitude = int(kept or "0") * 10 ** max(power, 0)
    return (-magnitude if is_negative else magnitude), power >= 0


def _power(sign: str, digits: str, shift: int) -> int | str:
    """Of an exponent and what the mantissa moves it by."""
    if len(digits) > MAX_DIGITS:
        return f"{sign.strip('+')}{digits}{shift:+}"
    return int(f"{sign}{digits or '0'}") + shift
