"""The log of the server, as lines and as JSON; and the ID of each request."""

import http.client
import json
import re
from contextlib import closing

import pytest

from ..standalone import API_TOKEN, PATH, QUERY, manage, raw, serving

pytestmark = pytest.mark.usefixtures("once")


def call(port):
    """The ID in the answer to a call that has one of its own."""
    headers = {
        "Authorization": f"Bearer {API_TOKEN}",
        "Content-Type": "application/json",
        "X-Request-ID": "request-1",
    }
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("POST", PATH, json.dumps(QUERY), headers)
        answer = connection.getresponse()
        answer.read()
    return answer.headers["X-Request-ID"]


def test_json(url, tmp_path):
    log = tmp_path / "log"
    with serving(url, log=log, LOG_FORMAT="json", LOG_CALLS="on") as port:
        assert call(port) == "request-1"
    (line,) = map(json.loads, log.read_text().splitlines())
    said = (line["requestId"], line["door"], line["service"], line["code"], line["status"])
    assert said == ("request-1", "gm", "1001", "A277001", 200)
    assert API_TOKEN not in log.read_text()


def test_plain(url, tmp_path):
    log = tmp_path / "log"
    with serving(url, log=log, LOG_CALLS="on") as port:
        call(port)
    assert re.fullmatch(
        r"\S+Z INFO grant_management.calls: door=gm action=QUERY service=1001 tokenId=\S{36}"
        r" status=200 code=A277001 ms=\S+ request=request-1\n",
        log.read_text(),
    )


def test_off(url, tmp_path):
    """The answer has its ID all the same."""
    log = tmp_path / "log"
    with serving(url, log=log) as port:
        assert call(port) == "request-1"
    assert log.read_text() == ""


def test_a_request_that_is_refused_before_django(url):
    with serving(url) as port:
        head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"
        status, headers, _ = raw(port, head.encode(), b"{", end=True)
    assert status == 400
    assert re.fullmatch("[0-9a-f]{32}", headers["x-request-id"])


def test_another_format_is_refused():
    with pytest.raises(Exception, match="returned non-zero"):
        manage("check", LOG_FORMAT="xml")
