"""Numbers of JSON (RFC 8259 §6), which have one type, however they are written.

`1900000000000`, `1.9E12` and `19e11` are the same number. A number is kept as it was written, and
compared and converted by its normal form, without rounding.
"""

import re
from typing import Final, NamedTuple

MAX_LENGTH: Final = 1_100
"""Characters. The longest useful number is the exact value of the smallest binary64 (IEEE 754),
which has 1,077."""
MAX_NUMBER: Final = 2**53 - 1
"""The greatest whole number that every JSON reader keeps exactly (RFC 7493 §2.2)."""
MAX_EXPONENT: Final = 9_999
"""The exponent of binary64 ends at 308, that of decimal128 at 6,176."""
MAX_DIGITS: Final = 20
"""The most digits of an integer that is converted; 2^64 has 20."""

_NUMBER: Final = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?)([0-9]+))?\Z")


class Number(NamedTuple):
    """`digits` times 10 to the power of `exponent`. `digits` neither starts nor ends with a zero.

    An exponent that is too long to calculate with is text, which is only compared.
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
    """Raise ValueError for a number that is longer, or has a larger exponent, than any useful one.

    A later reader could fail at such a number: the limits of PostgreSQL, Python and JavaScript
    differ.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"a number has more than {MAX_LENGTH} characters")
    _mantissa, _e, exponent = text.lower().partition("e")
    if exponent and abs(int(exponent)) > MAX_EXPONENT:
        raise ValueError(f"the exponent of a number is beyond {MAX_EXPONENT}")


def parse(text: str) -> Number:
    """The normal form of a JSON number of any length. ValueError: it is not a number."""
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
    """A number times 10^`places`, without the fraction of that; and whether it had no fraction.

    ValueError: it is not a number, or it is too large (`MAX_DIGITS`).
    """
    if len(text) < MAX_DIGITS and text.isascii() and text.isdigit():  # like nearly all numbers
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
    """The sum of an exponent and `shift`; as text where the exponent has too many digits."""
    if len(digits) > MAX_DIGITS:
        return f"{sign.strip('+')}{digits}{shift:+}"
    return int(f"{sign}{digits or '0'}") + shift
