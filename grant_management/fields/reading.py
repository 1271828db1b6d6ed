"""Reads bodies into members, and members into values. Strict where laxness could hide an attack."""

import urllib.parse
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from ..protocol import strict_json
from ..protocol.results import Refused, Result
from .field import Field

JSON = "application/json"


FORM = "application/x-www-form-urlencoded"


def parse_body(media_type: str, body: bytes, *, keep_numbers: bool = False) -> dict[str, Any]:
    """The members of a JSON object or a form; those that are null are left out.

    `keep_numbers`: numbers come as `Literal`s. Refused: another media type, an empty body, or a
    body that is not strict JSON or a strict form.
    """
    if media_type not in (JSON, FORM):
        raise Refused(Result.MEDIA_TYPE_UNSUPPORTED)
    if not body.strip():
        raise Refused(Result.BODY_MISSING)
    try:
        return _json_members(body, keep_numbers) if media_type == JSON else _form_members(body)
    except ValueError as error:
        what = "strict JSON" if media_type == JSON else "a strict form"
        raise Refused(Result.BODY_UNREADABLE, f"it is not {what}: {error}.") from None


def read(
    members: Mapping[str, Any], fields: Iterable[Field], now: datetime | None = None
) -> dict[str, Any]:
    """The values of the members that are present, by name; null counts as absent.

    Refused: a value is not acceptable, or not at the time `now`. None: times are not compared with
    the present.
    """
    values = {}
    for field in fields:
        value = members.get(field.name)
        if value is not None:
            values[field.name] = read_one(field, value, now)
    return values


def read_one(field: Field, value: Any, now: datetime | None = None) -> Any:
    """The value of one member, as in `read`. Refused: it is not acceptable."""
    try:
        read = field.read(value)
        if now is not None:
            field.judge(read, now)
    except ValueError as error:
        raise Refused(Result.BODY_UNREADABLE, f"'{field.name}' {error}.") from None
    return read


def _json_members(body: bytes, keep_numbers: bool) -> dict[str, Any]:
    value = strict_json.loads(body, keep_numbers=keep_numbers)
    if not isinstance(value, dict):
        raise Refused(Result.BODY_UNREADABLE, "it is not a JSON object.")
    return {name: member for name, member in value.items() if member is not None}


def _form_members(body: bytes) -> dict[str, Any]:
    try:
        fields = urllib.parse.parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100
        )
    except ValueError:
        raise ValueError("its fields cannot be told apart, or are not UTF-8") from None
    members: dict[str, Any] = dict(fields)
    if len(members) != len(fields):
        raise ValueError("a field appears twice")
    for value in members.values():
        strict_json.check_string(value)
    # A form has strings only. This is the one boolean among the members of forms.
    if members.get("dpopNonceRequired") in ("true", "false"):
        members["dpopNonceRequired"] = members["dpopNonceRequired"] == "true"
    return members
