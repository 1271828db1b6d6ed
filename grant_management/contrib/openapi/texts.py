"""The texts of an operation, from the docstring of the function that performs it."""

import inspect
import re
import sys
from collections.abc import Callable
from typing import Any, Final

_ROUTE: Final = re.compile(r"^`[^`]*`(?: \([^)]*\))?: ")
"""What a docstring begins with: the route, and the section of an RFC."""
_CONSTANT: Final = re.compile(r"`([A-Z][A-Z_]+)`")


def texts_of(performed: Callable[..., Any]) -> tuple[str, str]:
    """The summary, which is the first paragraph up to its refusals, and the description."""
    text = _ROUTE.sub("", inspect.cleandoc(performed.__doc__ or ""))
    text = re.sub(r"ActionRefused( [A-Z_]+)?:", _refused, _with_values(text, performed.__module__))
    summary, behind, more = re.sub(r"(?<=\.) (?=Refused)", "\n\n", text).partition("\n\n")
    return f"{summary[0].upper()}{summary[1:]}".replace("\n", " "), more if behind else ""


def _refused(found: re.Match[str]) -> str:
    return f"Refused with{found[1]}:" if found[1] else "Refused:"


def _with_values(text: str, module: str) -> str:
    """The text with the values of the module's constants, which readers do not know."""
    known = vars(sys.modules[module])

    def value(found: re.Match[str]) -> str:
        number = known.get(found[1])
        return f"{number:,}" if isinstance(number, int) else found[0]

    return _CONSTANT.sub(value, text)
