"""The wire format: bodies in, answers out. Strict where a lax reading could hide an attack."""

import urllib.parse
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, NamedTuple

from .members import Reader
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


_STRINGS = {
    "accessToken": "access_token",
    "clientCertificate": "client_certificate",
    "dpop": "dpop",
    "htm": "htm",
    "htu": "htu",
    "gmAction": "gm_action",
    "grantId": "grant_id",
}


def parse_gm_request(media_type: str, body: bytes) -> GMRequest:
    """The call in a body. Refused: it is empty, unreadable, or a member has the wrong type."""
    members = parse_body(media_type, body)
    fields: dict[str, Any] = {
        field: string(members, name) for name, field in _STRINGS.items() if name in members
    }
    return GMRequest(**fields, dpop_nonce_required=boolean(members, "dpopNonceRequired"))


def parse_body(media_type: str, body: bytes, *, keep_numbers: bool = False) -> dict[str, Any]:
    """The members of a JSON object or a form; those that are null are left out."""
    if media_type not in (JSON, FORM):
        raise Refused(Result.MEDIA_TYPE_UNSUPPORTED)
    if not body.strip():
        raise Refused(Result.BODY_MISSING)
    try:
        return _json_members(body, keep_numbers) if media_type == JSON else _form_members(body)
    except ValueError:
        raise Refused(Result.BODY_UNREADABLE, "it is not strict JSON or a strict form.") from None


def read(members: Mapping[str, Any], readers: Mapping[str, Reader]) -> dict[str, Any]:
    """The members that there are. Refused: one is not acceptable."""
    values = {}
    for name, reader in readers.items():
        if members.get(name) is not None:
            try:
                values[name] = reader(members[name])
            except ValueError as error:
                raise Refused(Result.BODY_UNREADABLE, f"'{name}' {error}.") from None
    return values


def string(members: dict[str, Any], name: str) -> str:
    """A member that must be a string; absent: ""."""
    value = members.get(name, "")
    if not isinstance(value, str):
        raise Refused(Result.BODY_UNREADABLE, f"'{name}' must be a string.")
    return value


def boolean(members: dict[str, Any], name: str) -> bool:
    """A member that must be a boolean; absent: false. Nothing else is taken for one."""
    value = members.get(name, False)
    if not isinstance(value, bool):
        raise Refused(Result.BODY_UNREADABLE, f"'{name}' must be a boolean.")
    return value


def _json_members(body: bytes, keep_numbers: bool) -> dict[str, Any]:
    value = strict_json.loads(body, keep_numbers=keep_numbers)
    if not isinstance(value, dict):
        raise Refused(Result.BODY_UNREADABLE, "it is not a JSON object.")
    return {name: member for name, member in value.items() if member is not None}


def _form_members(body: bytes) -> dict[str, Any]:
    fields = urllib.parse.parse_qsl(
        body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100
    )
    members: dict[str, Any] = dict(fields)
    if len(members) != len(fields):
        raise ValueError("a field appears twice")
    for value in members.values():
        strict_json.check_string(value)
    if members.get("dpopNonceRequired") in ("true", "false"):
        members["dpopNonceRequired"] = members["dpopNonceRequired"] == "true"
    return members
