"""JSON as RFC 8259 has it, and stricter where laxness would let two readers disagree."""

import json
from collections.abc import Callable
from typing import Any, Final

MAX_DEPTH: Final = 64
_SPACE: Final = " \t\n\r"


class Literal:
    """JSON text that is written as it is, such as a number: `1.0`, `1.00` and `1e0` stay three."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def loads(raw: bytes | str, *, keep_numbers: bool = False) -> Any:
    """The value of a JSON text, with `Literal`s for numbers where these are to be kept.

    ValueError: not UTF-8, not JSON, a member twice, NaN or Infinity, deeper than 64 levels,
    U+0000 or a lone surrogate in a string.
    """
    text = raw.decode() if isinstance(raw, bytes) else raw
    try:
        value = _decoded(_keeping if keep_numbers else _plain, text.strip(_SPACE))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    # Only an escape can bring in U+0000 or a surrogate, and only brackets can nest.
    if "\\u" in text or text.count("[") + text.count("{") > MAX_DEPTH:
        _inspect(value, MAX_DEPTH)
    return value


def _decoded(decoder: Any, text: str) -> Any:
    """As `JSONDecoder.decode`, whose two searches for white space cost as much as small texts."""
    try:
        value, end = decoder.scan_once(text, 0)
    except StopIteration:
        raise ValueError("not JSON") from None
    if end != len(text):
        raise ValueError("more than one JSON value")
    return value


def dumps(value: Any) -> str:
    """Compact JSON in ASCII; `Literal`s come out as they were written."""
    if isinstance(value, Literal):
        return value.text
    if isinstance(value, dict):
        members = (f"{json.dumps(name)}:{dumps(member)}" for name, member in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dumps, value)) + "]"
    return json.dumps(value)


def check_string(text: str) -> None:
    """ValueError for what no stored string may hold: U+0000 and lone surrogates."""
    if "\x00" in text:
        raise ValueError("a string holds U+0000")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("a string holds a lone surrogate") from None


def _inspect(value: Any, levels: int) -> None:
    if isinstance(value, str):
        check_string(value)
    elif isinstance(value, dict | list):
        if levels == 0:
            raise ValueError("nested too deeply")
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
    raise ValueError(f"{name} is not JSON")


def _decoder(number: Callable[[str], Any] | None) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_object,
        parse_constant=_no_constant,
        parse_int=number,
        parse_float=number,
    )


_plain = _decoder(None)
_keeping = _decoder(Literal)
