"""The words of the pages: one word for one thing, in sentence case."""

import re

from .marked import marked

OTHERS = {
    r"leave it|take me back": "Cancel",
    r"\bgm\b": "grant management",
    r"\b(dead|alive)\b": "valid, active",
    r"\b(kill|dies?\b)": "stop",
    r"\blive grants": "active grants, or those that are not revoked",
    r"\boutcome": "result",
    r"^who\b( \(ID\))?$": "done by",
    r"\brevokes by filter": "jobs",
    r"\bgroups?\b": "roles",
    r"\bservice ID": "the service's number",
    r"\bthis admin\b": "the console",
    r"\bthis stops now(?!\. Grants: )": "the sentence of `stops.stopping`",
    r"\bconsents?\b": "grant",
    r"\b(please|oops|sorry|invalid)\b": "what is wrong, and what to do",
}
"""What no text says, as a pattern, and what is said in its place."""
MODELS = {"revokes by filter", "outcome"}
"""Names of models and columns, which migrations have: Django's list of all models shows the first."""
NAMES = {
    *("Authlete", "Shared", "Signals", "JSON", "Lines"),
    # A button, a field or an entry of the navigation that a sentence names.
    *("Operators", "Organization", "Revoke", "Services"),
}
"""Words that have a capital letter within a sentence."""


def texts():
    return {text.rpartition("\x04")[2].strip("- ") for text in marked()}


def test_one_word_for_one_thing():
    found = {
        (text, better)
        for text in texts() - MODELS
        for pattern, better in OTHERS.items()
        if re.search(pattern, text, re.IGNORECASE)
    }
    assert found == set()


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
