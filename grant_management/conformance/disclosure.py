"""What may be shown of a server's words: no credential, no control character, and not too much."""

import json
import re
from typing import Any
from urllib.parse import quote, quote_plus

MAX_SHOWN = 500
HIDDEN = "[hidden]"
# Strings of token and authorization responses that are no secret. Any other is taken for one.
_PUBLIC = {"grant_id", "scope", "token_type", "state", "iss", "error", "error_description"}


class Secrets:
    """The credentials that were sent or received in this run."""

    def __init__(self, *values: str) -> None:
        self._values = {value for value in values if value}

    def learn(self, members: dict[str, Any]) -> None:
        """Take what is secret in a token response, with an authorization response inside."""
        for name, value in members.items():
            if isinstance(value, dict):
                self.learn(value)
            elif isinstance(value, str) and value and name not in _PUBLIC:
                self._values.add(value)

    def hide(self, text: str) -> str:
        """The text without any of them, as they are or escaped."""
        forms = {form for value in self._values for form in _forms(value)}
        for form in sorted(forms, key=len, reverse=True):
            text = re.sub(_pattern(form), HIDDEN, text)
        return text


def printable(text: str) -> str:
    """The text on one line. What a terminal obeys or XML 1.0 §2.2 forbids is written as escapes.

    That is every control, format and unassigned character, every surrogate, and every space
    but U+0020.
    """
    found = "".join(one if one.isprintable() else _escape(one) for one in text)
    return found if len(found) <= MAX_SHOWN else f"{found[:MAX_SHOWN]}…"


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


def _forms(value: str) -> set[str]:
    """How a value may stand in a message of Python, a URL or JSON."""
    return {value, quote(value), quote_plus(value), repr(value)[1:-1], json.dumps(value)[1:-1]}


def _pattern(form: str) -> str:
    """A short value counts where it stands alone: a token "a" is no reason to hide each letter."""
    pattern = re.escape(form)
    return pattern if len(form) >= 8 else rf"(?<![A-Za-z0-9]){pattern}(?![A-Za-z0-9])"
