"""The words of the pages: one word for one thing, in sentence case."""

import re

from .marked import marked

OTHERS = {
    r"leave it": "Cancel",
    r"\bgm\b": "grant management",
    r"\b(dead|alive)\b": "valid, active",
    r"\bkill": "stop",
    r"\bconsents?\b": "grant",
    r"\b(please|oops|sorry|invalid)\b": "what is wrong, and what to do",
}
"""What no text says, as a pattern, and what is said in its place."""
STORED = {
    # The title of a check, by which a call in the log is shown.
    "The token, its grant and its client are alive",
    # The help of a column, which a migration has.
    "A revoke kills access tokens too; refresh tokens always die.",
}
NAMES = {
    *("Authlete", "Shared", "Signals", "JSON", "Lines"),
    # A button, a field or an entry of the navigation that a sentence names.
    *("Operators", "Organization", "Revoke", "Services"),
}
"""Words that have a capital letter within a sentence."""


def texts():
    return {text.rpartition("\x04")[2] for text in marked()}


def test_one_word_for_one_thing():
    found = {
        (text, better)
        for text in texts() - STORED
        for pattern, better in OTHERS.items()
        if re.search(pattern, text, re.IGNORECASE)
    }
    assert found == set()


def test_what_is_stored_is_still_said():
    assert texts() >= STORED


def test_sentence_case():
    """No title has capital letters as a title of a book has."""
    found = {
        (word, text)
        for text in texts()
        for part in re.split(r"(?<=[.?:!;])\s+|[(“]", text)
        for word in (one.strip(",.…:;)”'\"") for one in part.split()[1:])
        if re.fullmatch(r"[A-Z][a-z]+", word) and word not in NAMES
    }
    assert found == set()
