"""Calls over HTTP. Each answer must be JSON with a code of the contract; else it is malformed."""

import http.client
import json
import re
import socket
import time
from dataclasses import dataclass, field
from typing import Any

from grant_management.protocol.results import Result

CODES = {result.code for result in Result}
BUG = "A277101"
_MESSAGE = re.compile(r"\[(A[0-9]{6})\] ")


@dataclass(frozen=True)
class Answer:
    """The answer to a call. `status` 0: none came, and `problem` says why.

    `malformed`: it breaks the contract, and `problem` says how.
    """

    status: int = 0
    body: dict[str, Any] = field(default_factory=dict)
    problem: str = ""
    malformed: bool = False
    seconds: float = 0.0

    @property
    def code(self) -> str:
        """The result code; where there is none, the problem."""
        return str(self.body.get("resultCode", "")) or self.problem

    @property
    def done(self) -> bool:
        """Whether the request was fulfilled."""
        fulfilled = self.body.get("action") in (None, "OK", "NO_CONTENT")
        return self.status == 200 and not self.malformed and fulfilled

    @property
    def refused(self) -> bool:
        """Whether the request was certainly not fulfilled."""
        if self.status == 0:
            return self.problem == NOT_CONNECTED
        return not self.malformed and not self.done and not self.failed

    @property
    def failed(self) -> bool:
        """Whether the server says that it failed: the request may or may not have taken effect."""
        return self.status >= 500


NOT_CONNECTED = "not connected"
TIMED_OUT = "no answer in time"
CLOSED = "connection closed"


class Caller:
    """One connection to one server, opened again after it broke. `host`: the name that the server
    is called by; "": its address.
    """

    def __init__(self, port: int, api_token: str, timeout: float, host: str = "") -> None:
        self.port = port
        self._headers = {"Authorization": f"Bearer {api_token}"} | ({"Host": host} if host else {})
        self._timeout = timeout
        self._connection: http.client.HTTPConnection | None = None

    def post(self, path: str, members: dict[str, Any], *, key: str = "") -> Answer:
        """The answer to a POST of JSON; `key` is the Idempotency-Key, "" for none."""
        headers = {**self._headers, **({"Idempotency-Key": key} if key else {})}
        body = json.dumps(members)
        headers["Content-Type"] = "application/json"
        return self._send(path, body, headers, plain=False)

    def form(self, path: str, body: str) -> Answer:
        """The answer to a POST of a form (RFC 7662), which has no code where it is fulfilled."""
        headers = {**self._headers, "Content-Type": "application/x-www-form-urlencoded"}
        return self._send(path, body, headers, plain=True)

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _send(self, path: str, body: str, headers: dict[str, str], *, plain: bool) -> Answer:
        began = time.monotonic()
        try:
            connection = self._connected()
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            connected = self._connection is not None
            self.close()
            return Answer(problem=_problem(error, connected), seconds=time.monotonic() - began)
        if response.will_close:
            self.close()
        return read(response.status, content, time.monotonic() - began, plain=plain)

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            opened = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self._timeout)
            opened.connect()
            self._connection = opened
        return self._connection


def _problem(error: Exception, connected: bool) -> str:
    if not connected:
        return NOT_CONNECTED
    return TIMED_OUT if isinstance(error, TimeoutError | socket.timeout) else CLOSED


def read(status: int, content: bytes, seconds: float = 0.0, *, plain: bool = False) -> Answer:
    """The answer that these bytes are; `plain`: it has no code where the status is 200."""
    try:
        body = json.loads(content)
    except ValueError:
        return Answer(status, {}, f"HTTP {status}, not JSON", malformed=True, seconds=seconds)
    if not isinstance(body, dict):
        return Answer(status, {}, f"HTTP {status}, no object", malformed=True, seconds=seconds)
    if plain and status == 200:
        return Answer(status, body, seconds=seconds)
    told = _MESSAGE.match(str(body.get("resultMessage", "")))
    known = body.get("resultCode") in CODES and told is not None
    if not known or told is None or told[1] != body["resultCode"]:
        return Answer(status, body, f"HTTP {status}, no code", malformed=True, seconds=seconds)
    return Answer(status, body, seconds=seconds)
