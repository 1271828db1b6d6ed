"""One HTTP request as it is: no redirect is followed, no status raises an exception."""

import base64
import http.client
import re
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any

from ..protocol import strict_json
from .deadline import within
from .unanswered import no_answer
from .verdict import Failure, require

MAX_BODY = 1024 * 1024


class _AsItIs(urllib.request.HTTPErrorProcessor):
    """Returns every response, whatever its status."""

    def http_response(self, request: Any, response: Any) -> Any:
        return response

    https_response = http_response


@dataclass(frozen=True)
class Response:
    """A response, read as a whole."""

    status: int
    headers: Message
    body: bytes

    def members(self) -> dict[str, Any]:
        """The members of the JSON object in the body (RFC 8259). Failure: there is none."""
        coding = self.field("Content-Encoding")
        require(coding in ("", "identity"), f"the body is encoded, unasked: {coding}")
        try:
            value = strict_json.loads(self.body)
        except ValueError as error:
            raise Failure(f"the body cannot be read: {error}") from None
        if not isinstance(value, dict):
            raise Failure("the body is no JSON object")
        return value

    def field(self, name: str) -> str:
        """All lines of a header field as one list (RFC 9110 §5.2); "" where the field is absent."""
        return ", ".join(self.headers.get_all(name) or [])


def basic(client_id: str, client_secret: str) -> str:
    """A client's credentials for the Basic scheme, without its name (RFC 6749 §2.3.1)."""
    pair = ":".join(map(urllib.parse.quote_plus, (client_id, client_secret)))
    return base64.b64encode(pair.encode()).decode()


def bearer(token: str) -> str:
    """The value of `Authorization` for a token. Failure: the token does not fit into a header."""
    require(bool(re.fullmatch(r"[!-~]+", token)), "an access token has characters outside VCHAR")
    return f"Bearer {token}"


def send(
    method: str,
    url: str,
    *,
    credentials: str = "",
    form: Mapping[str, str] | None = None,
    timeout: float = 20,
) -> Response:
    """Send a request and read the response.

    `credentials` is the value of `Authorization`; "": no such header. `timeout` is how many seconds
    the server may be silent; a whole response may take twice as long. Failure: there is none.
    ValueError: the URL cannot be used.
    """
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise Failure(f"{url} is no http URL")
    headers = {"Accept": "application/json"}
    if credentials:
        headers["Authorization"] = credentials
    data = urllib.parse.urlencode(form).encode() if form is not None else None
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - checked
    try:
        return within(2 * timeout, "the response", lambda: _exchange(request, timeout))
    except (OSError, http.client.HTTPException) as error:
        raise no_answer(error) from None


def _exchange(request: urllib.request.Request, timeout: float) -> Response:
    with urllib.request.build_opener(_AsItIs).open(request, timeout=timeout) as response:
        read = _read_after_empty if response.status == 204 else _read
        return Response(response.status, response.headers, read(response))


def _read(response: http.client.HTTPResponse) -> bytes:
    """The whole body; never a part of it."""
    body = response.read(MAX_BODY + 1)
    require(len(body) <= MAX_BODY, f"the body has more than {MAX_BODY} bytes")
    # A bounded read does not report that the connection ended before the content did.
    if response.length:
        raise http.client.IncompleteRead(body, response.length)
    return body


def _read_after_empty(response: http.client.HTTPResponse) -> bytes:
    """The first byte behind the end of a 204, which is its header (RFC 9112 §6.3); b"": none."""
    try:
        return response.fp.read(1)
    except OSError:  # The server ignores `Connection: close`, and sends nothing more.
        return b""
