"""An authorization detail (RFC 9396) as nested lists in HTML."""

from collections.abc import Mapping
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from grant_management.protocol.strict_json import Literal, dumps


def as_text(detail: Mapping[str, Any]) -> SafeString:
    """A detail that is too long for lists, as JSON text."""
    return format_html("<pre>{}</pre>", dumps(detail))


def as_lists(detail: Mapping[str, Any]) -> SafeString:
    """The members of a detail but its type, which has a name in plain words; "": no others."""
    members = {name: value for name, value in detail.items() if name != "type"}
    return _shown(members) if members else SafeString()


def _shown(value: Any) -> SafeString:
    """A value: `strict_json` bounds how deep it is nested."""
    if isinstance(value, dict):
        rows = ((name, _shown(one)) for name, one in value.items())
        items = format_html_join("", "<li><bdi>{}</bdi>: {}</li>", rows)
        return format_html("<ul>{}</ul>", items)
    if isinstance(value, list):
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", _each(value)))
    return format_html("<bdi>{}</bdi>", _text(value))


def _each(values: list[Any]) -> Any:
    return ((_shown(one),) for one in values)


def _text(value: Any) -> str:
    if isinstance(value, Literal):
        return value.text
    if value is None or isinstance(value, bool):
        return {True: "true", False: "false", None: "null"}[value]
    return str(value)
