"""A client on this machine: its redirect URI (RFC 8252 §7.3), and its calls to a server."""

import json
import secrets
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

PATIENCE = 30
"""Seconds that a call may take."""


class RedirectURI:
    """A redirect URI on 127.0.0.1, on a free port. To be closed, by leaving the `with` block."""

    def __init__(self) -> None:
        self.state = secrets.token_urlsafe(32)
        self._listening = _Listening(("127.0.0.1", 0), _Page)
        self._listening.state = self.state
        self.uri = f"http://127.0.0.1:{self._listening.server_port}/callback"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.server_close()

    def wait(self) -> dict[str, str]:
        """The parameters of the authorization response, once a browser brings it."""
        while not self._listening.parameters:
            self._listening.handle_request()
        return self._listening.parameters


class _Listening(ThreadingHTTPServer):
    """A thread for each connection: browsers open some that they do not use."""

    timeout = 0.5
    block_on_close = False
    state = ""
    parameters: dict[str, str] = {}


class _Page(BaseHTTPRequestHandler):
    """Takes the answer to the request with this state, and no other (RFC 6749 §10.12)."""

    server: _Listening
    timeout = PATIENCE

    def do_GET(self) -> None:
        """Keep the parameters, and say so."""
        url = urlsplit(self.path)
        found = {name: values[0] for name, values in parse_qs(url.query).items()}
        is_it = url.path == "/callback" and secrets.compare_digest(
            found.get("state", "").encode(), self.server.state.encode()
        )
        if is_it:
            self.server.parameters = found
        self.send_response(200 if is_it else 404)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        text = "The client has its answer: look at the terminal." if is_it else "Nothing is here."
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Log nothing: the query has the code."""


class _NoRedirects(HTTPRedirectHandler):
    """A redirect is an answer; following it would take a credential elsewhere."""

    def redirect_request(self, *_: object) -> None:
        """Not at all."""


def call(
    method: str, url: str, headers: dict[str, str], form: dict[str, str] | None = None
) -> tuple[int, Any]:
    """Call a server directly: the status, and the JSON of the answer ({} where there is none).

    OSError: the server cannot be reached.
    """
    data = None if form is None else urlencode(form).encode()
    request = Request(url, data=data, headers=headers, method=method)  # noqa: S310 - the operator's
    try:
        opener = build_opener(_NoRedirects, ProxyHandler({}))
        with opener.open(request, timeout=PATIENCE) as response:
            return response.status, _members(response.read())
    except HTTPError as error:
        with error:
            return error.code, _members(error.read())


def _members(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return {}
