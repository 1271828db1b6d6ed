"""Language tags (BCP 47): which are well formed, and which text fits what a reader prefers."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

LONGEST: Final = 35
"""Characters of a tag that must be supported (RFC 5646 §4.4.1)."""
# RFC 5646 §2.1 without private use and grandfathered tags, which no reader prefers.
_TAG: Final = re.compile(
    r"""[A-Za-z]{2,8}
    (?:-[A-Za-z]{3}){0,3}
    (?:-[A-Za-z]{4})?
    (?:-(?:[A-Za-z]{2}|[0-9]{3}))?
    (?:-(?:[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*
    (?:-[0-9A-WY-Za-wy-z](?:-[A-Za-z0-9]{2,8})+)*\Z""",
    re.VERBOSE,
)


def canonical(tag: str) -> str:
    """The tag in the letter case of RFC 5646 §2.1.1: `de-Latn-CH`. ValueError: not well formed."""
    if len(tag) > LONGEST or _TAG.match(tag) is None:
        raise ValueError("not a language tag")
    first, *rest = tag.lower().split("-")
    shown, is_extension = [first], False
    for part in rest:
        is_extension |= len(part) == 1
        shown.append(part if is_extension else _CASED.get(len(part), str.lower)(part))
    return "-".join(shown)


_CASED: Final = {2: str.upper, 4: str.title}


def lookup(preferred: Iterable[str], available: Sequence[str]) -> str | None:
    """The available tag for a reader, by the lookup of RFC 4647 §3.4; None: none fits.

    Each preferred tag is shortened from its end until it fits, before the next one is tried.
    """
    known = {tag.lower(): tag for tag in reversed(available)}
    for tag in preferred:
        parts = tag.lower().replace("_", "-").split("-")
        while parts:
            if (found := known.get("-".join(parts))) is not None:
                return found
            parts.pop()
            if parts and len(parts[-1]) == 1:  # no tag ends with a singleton
                parts.pop()
    return None
