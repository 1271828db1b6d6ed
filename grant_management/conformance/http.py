"""One HTTP request, as it is: no redirect is followed, no status is an exception."""

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


@dataclass(frozen=True)
class Response:
    """What came back."""

    status: int
    headers: Message
    body: bytes

    def json(self) -> Any:
        """The body's value; ValueError where it is no JSON."""
        return json.loads(self.body)

    @property
    def challenge(self) -> str:
        """`WWW-Authenticate`, all of them."""
        return ", ".join(self.headers.get_all("WWW-Authenticate") or [])


def send(
    method: str,
    url: str,
    *,
    token: str = "",
    form: Mapping[str, str] | None = None,
    basic: tuple[str, str] | None = None,
    timeout: float = 20,
) -> Response:
    """The response to a request; OSError where there is none."""
    headers = {"Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if basic:
        pair = ":".join(map(urllib.parse.quote_plus, basic))
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    data = urllib.parse.urlencode(form).encode() if form is not None else None
    if not url.startswith(("http://", "https://")):
        raise OSError(f"{url!r} is no http URL")
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - checked
    opener = urllib.request.build_opener(_NoRedirects)
    try:
        with opener.open(request, timeout=timeout) as response:
            return Response(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        return Response(error.code, error.headers, error.read())
