"""Paths of the document, from the patterns of the app's URLs; and their parameters."""

import re
from collections.abc import Iterator
from itertools import product
from typing import Any, Final, NamedTuple

from django.urls import URLPattern, URLResolver

from ...fields import members as m
from .schemas import Schema, asked

_GROUP: Final = re.compile(r"\(\?P<(\w+)>([^()]*)\)")
_OPTIONAL: Final = re.compile(r"\(\?:([^()]*)\)\?")
_WORDS: Final = re.compile(r"[a-z_]+(?:\|[a-z_]+)+")
PARAMETERS: Final[dict[str, tuple[str, Schema]]] = {
    "service_id": ("serviceId", asked(m.SERVICE_ID)),
    "grant_id": ("grantId", asked(m.GRANT_ID)),
    "webhook_id": (
        "webhookId",
        {"type": "string", "format": "uuid", "description": "The webhook."},
    ),
    "stream_id": (
        "streamId",
        {"type": "string", "format": "uuid", "description": "The stream."},
    ),
    "client": (
        "client",
        {
            "type": "string",
            "minLength": 1,
            "description": "The number of the client, or its client ID. Where a subject may follow,"
            " a client ID with a slash is not found: send the number.",
        },
    ),
    "subject": ("subject", asked(m.SUBJECT)),
    "token": (
        "token",
        {
            "type": "string",
            "minLength": 1,
            "description": "The value of the token, or its SHA-256 in hexadecimal or base64url.",
        },
    ),
    "digest": (
        "digest",
        {
            "type": "string",
            "pattern": "^[0-9a-f]{64}$",
            "description": "The SHA-256 of the logo.",
        },
    ),
}
"""The name in the document and the schema of each group of the patterns."""


class Route(NamedTuple):
    """A path of the document: its template, the class of its view, and the words that were chosen.

    `chosen` are the groups of the pattern that stand for one of several words, such as
    `{"operation": "create"}`.
    """

    path: str
    view: Any
    chosen: dict[str, str]


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[Route]:
    """Every path of the patterns. A part that may be left out makes two paths."""
    for one in patterns:
        text = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from routes(one.url_patterns, text)
        else:
            view: Any = one.callback
            yield from _expanded(text, view.view_class)


def parameters_of(path: str) -> list[str]:
    """The groups of the patterns whose values a path has."""
    names = {shown: group for group, (shown, _schema) in PARAMETERS.items()}
    return [names[shown] for shown in re.findall(r"\{(\w+)\}", path)]


def _expanded(pattern: str, view: Any) -> Iterator[Route]:
    """The paths of one pattern. The slash that may double the first one is left out."""
    text = re.sub(r"\^(?:\(\?:/\)\?)?|\\Z", "", pattern).replace("\\.", ".")
    groups = [(name, rule) for name, rule in _GROUP.findall(text) if _WORDS.fullmatch(rule)]
    for words in product(*(rule.split("|") for _name, rule in groups)):
        chosen = dict(zip((name for name, _rule in groups), words, strict=True))
        for path in _with_and_without(_filled(text, chosen)):
            yield Route(f"/{path}", view, chosen)


def _filled(text: str, chosen: dict[str, str]) -> str:
    """The pattern with the chosen words, and with a placeholder for each other group."""
    return _GROUP.sub(
        lambda found: chosen.get(found[1]) or f"{{{PARAMETERS[found[1]][0]}}}",
        text,
    )


def _with_and_without(text: str) -> list[str]:
    """The path with its optional part, and without it."""
    found = _OPTIONAL.search(text)
    if found is None:
        return [text]
    before, behind = text[: found.start()], text[found.end() :]
    return [f"{before}{found[1]}{behind}", f"{before}{behind}"]
