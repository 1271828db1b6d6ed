"""The wire format: bodies in, answers out. Strict where a lax reading could hide an attack."""

import urllib.parse
from collections.abc import Iterable, Mapping
from datetime import datetime
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, Final, NamedTuple

from .fields import members as m
from .fields.field import Field
from .protocol import strict_json
from .protocol.results import Refused, Result

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


class GMRequest(NamedTuple):
    """A call of the grant management API. An empty string is the same as absent."""

    access_token: str = ""
    client_certificate: str = ""
    dpop: str = ""
    htm: str = ""
    htu: str = ""
    gm_action: str = ""
    grant_id: str = ""
    dpop_nonce_required: bool = False
    # Only where this project reads the client's own request: it came with the DPoP scheme.
    dpop_scheme: bool = False


class GMResponse(NamedTuple):
    """An answer of the grant management API. None: the member is left out."""

    result: Result
    message: str
    response_content: str | None = None
    dpop_nonce: str | None = None

    def as_json(self) -> str:
        """The body: strings only, and never a null."""
        members = (
            ("resultCode", self.result.code),
            ("resultMessage", self.message),
            ("action", self.result.action),
            ("responseContent", self.response_content),
            ("dpopNonce", self.dpop_nonce),
        )
        shown = [f'"{name}": {quoted(value)}' for name, value in members if value is not None]
        return "{" + ", ".join(shown) + "}"


_GM_MEMBERS: Final[dict[Field, str]] = {
    m.ACCESS_TOKEN: "access_token",
    m.CERTIFICATE: "client_certificate",
    m.DPOP: "dpop",
    m.HTM: "htm",
    m.HTU: "htu",
    m.GM_ACTION: "gm_action",
    m.ASKED_GRANT_ID: "grant_id",
    m.NONCE_REQUIRED: "dpop_nonce_required",
}
_GM_NAMES: Final = {field.name: attribute for field, attribute in _GM_MEMBERS.items()}


def parse_gm_request(media_type: str, body: bytes) -> GMRequest:
    """The call in a body. Refused: it is empty, unreadable, or a member has the wrong type."""
    members = parse_body(media_type, body)
    values = read(members, _GM_MEMBERS)
    return GMRequest(**{_GM_NAMES[name]: value for name, value in values.items()})


def parse_body(media_type: str, body: bytes, *, keep_numbers: bool = False) -> dict[str, Any]:
    """The members of a JSON object or a form; those that are null are left out."""
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
    """The members that there are, by name; null is absent. Refused: one is not acceptable, or not
    at the moment `now`.
    """
    values = {}
    for field in fields:
        value = members.get(field.name)
        if value is not None:
            values[field.name] = read_one(field, value, now)
    return values


def read_one(field: Field, value: Any, now: datetime | None = None) -> Any:
    """The value of a member. Refused: it is not acceptable."""
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
    if members.get("dpopNonceRequired") in ("true", "false"):
        members["dpopNonceRequired"] = members["dpopNonceRequired"] == "true"
    return members
