"""What may be shown of a server's text: no credential, no control character, not too much."""

import json
import re
from typing import Any
from urllib.parse import quote, quote_plus

MAX_SHOWN = 500
"""Characters that are shown of one text."""
HIDDEN = "[hidden]"
# Members of token and authorization responses that are public. Any other string is a secret.
_PUBLIC = {"grant_id", "scope", "token_type", "state", "iss", "error", "error_description"}


class Secrets:
    """The credentials that were sent or received in this run."""

    def __init__(self, *values: str) -> None:
        self._values = {value for value in values if value}

    def learn(self, members: dict[str, Any]) -> None:
        """Add the secrets of a token response, and of the authorization response inside it."""
        for name, value in members.items():
            if isinstance(value, dict):
                self.learn(value)
            elif isinstance(value, str) and value and name not in _PUBLIC:
                self._values.add(value)

    def hide(self, text: str) -> str:
        """The text with each of these credentials hidden, escaped forms too."""
        forms = {form for value in self._values for form in _forms(value)}
        # The longest first, since one may contain another.
        for form in sorted(forms, key=len, reverse=True):
            text = re.sub(_pattern(form), HIDDEN, text)
        return text


def printable(text: str) -> str:
    """The text on one line, cut off at MAX_SHOWN characters.

    Characters that control a terminal, or that XML 1.0 §2.2 forbids, are written as escapes: every
    control, format and unassigned character, every surrogate, and every space but U+0020.
    """
    found = "".join(one if one.isprintable() else _escape(one) for one in text)
    return found if len(found) <= MAX_SHOWN else f"{found[:MAX_SHOWN]}…"


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


def _forms(value: str) -> set[str]:
    """The forms that a value can have in a message of Python, in a URL and in JSON."""
    return {value, quote(value), quote_plus(value), repr(value)[1:-1], json.dumps(value)[1:-1]}


def _pattern(form: str) -> str:
    """A short form is hidden only as a word of its own: the token "a" must not hide each letter."""
    pattern = re.escape(form)
    return pattern if len(form) >= 8 else rf"(?<![A-Za-z0-9]){pattern}(?![A-Za-z0-9])"
