"""A call and its answer, as they are on the wire."""

from json.encoder import encode_basestring_ascii as quoted
from typing import Final, NamedTuple

from ..fields import members as m
from ..fields.field import Field
from ..fields.reading import parse_body, read
from ..protocol.results import Result


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
    # Set by the draft's own endpoint only: the client sent its token with the DPoP scheme.
    dpop_scheme: bool = False


class GMResponse(NamedTuple):
    """An answer of the grant management API. A member that is None is left out of the JSON."""

    result: Result
    message: str
    response_content: str | None = None
    dpop_nonce: str | None = None

    def as_json(self) -> str:
        """The body as JSON text. Its members are strings, never null."""
        members = (
            ("resultCode", self.result.code),
            ("resultMessage", self.message),
            ("action", self.result.action),
            ("responseContent", self.response_content),
            ("dpopNonce", self.dpop_nonce),
        )
        shown = [f'"{name}": {quoted(value)}' for name, value in members if value is not None]
        return "{" + ", ".join(shown) + "}"


GM_MEMBERS: Final[dict[Field, str]] = {
    m.ACCESS_TOKEN: "access_token",
    m.CERTIFICATE: "client_certificate",
    m.DPOP: "dpop",
    m.HTM: "htm",
    m.HTU: "htu",
    m.GM_ACTION: "gm_action",
    m.ASKED_GRANT_ID: "grant_id",
    m.NONCE_REQUIRED: "dpop_nonce_required",
}


_GM_NAMES: Final = {field.name: attribute for field, attribute in GM_MEMBERS.items()}


def parse_gm_request(media_type: str, body: bytes) -> GMRequest:
    """The call in a body; members that are not its own are ignored.

    Refused: another media type, an empty or unreadable body, or a member of the wrong type.
    """
    members = parse_body(media_type, body)
    values = read(members, GM_MEMBERS)
    return GMRequest(**{_GM_NAMES[name]: value for name, value in values.items()})
