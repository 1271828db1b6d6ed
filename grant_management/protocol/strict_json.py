"""JSON (RFC 8259), read more strictly where two readers of the same text could disagree."""

import json
from collections.abc import Callable
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any, Final

from . import numbers

MAX_DEPTH: Final = 64
_ENCODER: Final = json.JSONEncoder(allow_nan=False)
_SPACE: Final = " \t\n\r"


class Literal:
    """JSON text that is written unchanged, such as a number: `1.00` does not become `1.0`."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def loads(raw: bytes | str, *, keep_numbers: bool = False) -> Any:
    """The value of a JSON text. `keep_numbers`: numbers are `Literal`s, as they were written.

    ValueError: not UTF-8, not JSON, a member twice, NaN or Infinity, a number beyond the limits of
    `numbers`, deeper than 64 levels, U+0000 or a lone surrogate in a string. The message says
    which, without quoting the text.
    """
    text = _decoded_text(raw) if isinstance(raw, bytes) else raw
    value = _value(_keeping if keep_numbers else _plain, text.strip(_SPACE))
    # The walk through all values is costly. It is needed only where an escape may have brought in
    # U+0000 or a surrogate, or where there are enough brackets to nest too deeply.
    if "\\u" in text or text.count("[") + text.count("{") > MAX_DEPTH:
        _inspect(value, MAX_DEPTH)
    return value


def stored(text: str) -> Any:
    """The value of a JSON text that this app has stored, with `Literal`s for numbers.

    It was checked when it came in. Today's limits may be narrower, and do not apply: what is stored
    can always be shown.
    """
    return _value(_stored, text)


def dumps(value: Any) -> str:
    """Compact JSON in ASCII, with `Literal`s unchanged. ValueError: a float is NaN or infinite."""
    if isinstance(value, Literal):
        return value.text
    if isinstance(value, dict):
        members = [f"{_quoted(name)}:{dumps(member)}" for name, member in value.items()]
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dumps, value)) + "]"
    return _quoted(value) if isinstance(value, str) else _ENCODER.encode(value)


def canonical(value: Any) -> str:
    """A text that is the same for equal JSON values, to compare them.

    1 equals 1.0 but not true, and the order of members does not count. Numbers must be `Literal`s.
    The time grows with the length of the text alone, however large its numbers are.
    """
    parts: list[str] = []
    _write_canonical(value, parts.append)
    return "".join(parts)


def check_string(text: str) -> None:
    """Raise ValueError if a string has U+0000 or a lone surrogate: no stored string may have it."""
    if "\x00" in text:
        raise ValueError("a string holds U+0000")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("a string holds a lone surrogate") from None


def _decoded_text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None


def _value(decoder: Any, text: str) -> Any:
    """As `JSONDecoder.decode`, but without its two searches for white space.

    For a small text they cost as much as the decoding itself.
    """
    try:
        value, end = decoder.scan_once(text, 0)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except (StopIteration, json.JSONDecodeError):
        raise ValueError("it is not JSON") from None
    if end != len(text):
        raise ValueError("it is more than one JSON value")
    return value


def _write_canonical(value: Any, write: Callable[[str], None]) -> None:
    if isinstance(value, Literal):
        write(numbers.parse(value.text).canonical())
    elif isinstance(value, dict):
        write("{")
        for name in sorted(value):
            write(f"{_quoted(name)}:")
            _write_canonical(value[name], write)
            write(",")
        write("}")
    elif isinstance(value, list):
        write("[")
        for one in value:
            _write_canonical(one, write)
            write(",")
        write("]")
    else:
        write(json.dumps(value))


def _inspect(value: Any, levels: int) -> None:
    if isinstance(value, str):
        check_string(value)
    elif isinstance(value, dict | list):
        if levels == 0:
            raise ValueError("it is nested too deeply")
        for part in value:
            _inspect(part, levels - 1)
        if isinstance(value, dict):
            for member in value.values():
                _inspect(member, levels - 1)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member appears twice")
    return members


def _no_constant(name: str) -> Any:
    raise ValueError("NaN and Infinity are not JSON")


def _kept(text: str) -> Literal:
    numbers.check(text)
    return Literal(text)


def _kept_integer(text: str) -> Literal:
    """An integer has no exponent, so a short one needs no check."""
    if len(text) > numbers.MAX_LENGTH:
        numbers.check(text)
    return Literal(text)


def _integer(text: str) -> int:
    numbers.check(text)
    return int(text)


def _float(text: str) -> float:
    numbers.check(text)
    return float(text)


def _decoder(integer: Callable[[str], Any], real: Callable[[str], Any]) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_object,
        parse_constant=_no_constant,
        parse_int=integer,
        parse_float=real,
    )


_plain = _decoder(_integer, _float)
_keeping = _decoder(_kept_integer, _kept)
_stored = _decoder(Literal, Literal)
