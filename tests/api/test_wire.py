"""Bytes on the wire, to real servers: what they make of them, and what comes back."""

import contextlib
import json
import socket
import sqlite3
import struct

import pytest

from ..standalone import (
    API_TOKEN,
    PATH,
    QUERY,
    RECORDS,
    host_settings,
    manage,
    post,
    raw,
    seed,
    serving,
)
from ..world import certificate, sha256

PEM, THUMBPRINT = certificate()
CA = certificate("issuer")[0]
MORE = [
    {
        "type": "refresh_token",
        "service": 1001,
        "client_id": "app-1",
        "grant_id": "g-1",
        "token_sha256": sha256("r-1").hex(),
    },
    {
        "type": "access_token",
        "service": 1001,
        "client_id": "app-1",
        "token": "t-3",
        "scopes": ["grant_management_query"],
        "cnf": {"x5t#S256": THUMBPRINT},
    },
]
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """SQLite, whichever database the run is on: that is not what these tests are about."""
    folder = tmp_path_factory.mktemp("wire")
    url = f"sqlite:///{folder / 'wire.sqlite3'}"
    seed(url, folder)
    more = folder / "more.jsonl"
    more.write_text("".join(json.dumps(record) + "\n" for record in [*RECORDS[:2], *MORE]))
    manage("import_grants", more, DATABASE_URL=url)
    return url


def everything(url):
    with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        # The use of the API token is stored once a minute, whatever the call was.
        used = "UPDATE grant_management_apitoken SET last_used_at = NULL, last_used_from = ''"
        connection.execute(used)
        return list(connection.iterdump())


@pytest.fixture(scope="module", params=["gm_project.serving", "tests.asgi_server"])
def server(request, url):
    """granian by WSGI, as the standalone project has it, and by ASGI, as a host may."""
    with serving(url, module=request.param) as port:
        yield port, url, request.param == "tests.asgi_server"


def head(path, *lines, media_type="application/json", method="POST"):
    """The head of a request, with an API token."""
    first = (
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {API_TOKEN}",
        f"Content-Type: {media_type}",
        "Connection: close",
    )
    return "".join(f"{line}\r\n" for line in (*first, *lines, "")).encode()


def chunks(body, *, ended=True):
    """Two of them (RFC 9112 §7.1)."""
    parts = (body[:3], body[3:])
    coded = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts if part)
    return coded + (b"0\r\n\r\n" if ended else b"")


def said(answer):
    status, _headers, body = answer
    return status, json.loads(body)["resultCode"]


REPLACE = "/api/1001/grants/g-1/replace"
REVOKE = "/api/1001/auth/token/revoke"
NARROWED = b"clientIdentifier=app-1&subject=nobody"
WIDE = b"clientIdentifier=app-1"


@pytest.mark.parametrize(
    ("path", "media_type", "whole", "part"),
    [
        (REVOKE, FORM, NARROWED, WIDE),
        (REPLACE, "application/json", b'{"scopes":[{"scope":"a"}]}', b'{"scopes":['),
        (REPLACE, "application/json", b"{}   ", b"{}"),
        (PATH, "application/json", b'{"gmAction":"REVOKE"}', b""),
    ],
)
def test_body_that_ends_before_its_length(server, path, media_type, whole, part):
    """The connection ends, or nothing follows."""
    port, url, is_asgi = server
    before = everything(url)
    answer = raw(
        port, head(path, f"Content-Length: {len(whole)}", media_type=media_type), part, end=True
    )
    # By ASGI Django hears of it, and answers nobody.
    assert is_asgi or said(answer) == (400, "A126202")
    assert everything(url) == before


@pytest.mark.parametrize(
    ("path", "media_type", "body"),
    [
        (REVOKE, FORM, NARROWED),
        (PATH, "application/json", json.dumps(QUERY).encode()),
        ("/api/1001/grants/g-1/get", "application/json", b"{}"),
    ],
)
def test_chunked_body(server, path, media_type, body):
    """granian's WSGI hides where one breaks off, so there it is refused; by ASGI it is read."""
    port, url, is_asgi = server
    before = everything(url)
    top = head(path, "Transfer-Encoding: chunked", media_type=media_type)
    for pieces in ([chunks(body)], [chunks(body)[:5], chunks(body)[5:]]):
        status, _headers, content = raw(port, top, *pieces)
        code = json.loads(content)["resultCode"]
        assert (status, code) == ((200, code) if is_asgi else (411, "A001209"))
        assert code in ("A277001", "A291001", "A001209")
    assert everything(url) == before


@pytest.mark.parametrize(
    "broken",
    [
        chunks(NARROWED)[:20],
        chunks(WIDE, ended=False),
        chunks(WIDE, ended=False) + b"zz\r\n",
        chunks(WIDE, ended=False) + b"0\r\n",
        b"",
    ],
)
def test_chunked_body_that_breaks_off(server, broken):
    """A whole form may be in what arrived; it is not what was sent."""
    port, url, is_asgi = server
    before = everything(url)
    answer = raw(
        port, head(REVOKE, "Transfer-Encoding: chunked", media_type=FORM), broken, end=True
    )
    assert is_asgi or said(answer) == (411, "A001209")
    assert everything(url) == before


@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: 37", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Content-Length: 37"],
        ["Content-Length: 37", "Content-Length: 22"],
        ["Content-Length: 37, 37"],
        ["Content-Length: +37"],
        ["Content-Length: 3 7"],
        ["Content-Length: 0x25"],
        ["Content-Length: "],
        ["Transfer-Encoding: gzip"],
        ["Transfer-Encoding: gzip, chunked"],
        ["Content-Length: 37", "Transfer_Encoding: chunked"],
        ["Content_Length: 37"],
    ],
)
def test_framings_that_can_be_read_in_two_ways(server, lines):
    """Refused, by the server or here; or, by ASGI, read as RFC 9112 §6.3 says, and closed."""
    port, url, is_asgi = server
    before = everything(url)
    body = chunks(NARROWED) if "chunked" in "".join(lines) else NARROWED
    status, headers, _ = raw(port, head(REVOKE, *lines, media_type=FORM), body)
    assert everything(url) == before
    if is_asgi and status == 200:
        # Django's ASGI drops the name with the underscore, and the length is that of the body.
        assert {"Transfer-Encoding: chunked", "Transfer_Encoding: chunked"} & set(lines)
        assert headers["connection"] == "close"
    else:
        assert status in (400, 411)


def test_body_over_the_limit(server):
    """It is refused while most of it has not been sent."""
    port, _url, is_asgi = server
    announced = head(PATH, "Content-Length: 1048577")
    if not is_asgi:  # Django's ASGI reads all of a request before anybody sees it
        assert said(raw(port, announced, b"{")) == (413, "A001206")
    assert said(raw(port, announced, b" " * 1_048_577)) == (413, "A001206")


@pytest.mark.parametrize(
    ("line", "body", "answer"),
    [
        ("Content-Length: 1048577", b" " * 1_048_577, (413, "A001206")),
        ("Transfer-Encoding: chunked", chunks(b"{}"), (411, "A001209")),
        ("Transfer-Encoding: chunked", chunks(b" " * 400_000), (411, "A001209")),
    ],
)
def test_an_answer_before_the_body_is_read_ends_the_connection(server, line, body, answer):
    """And says so: without it, a client that keeps connections sends its next call into nothing."""
    port, _url, is_asgi = server
    if is_asgi:
        pytest.skip("Django's ASGI reads the whole body first")
    kept = head(PATH, line).replace(b"Connection: close\r\n", b"")
    status, headers, content = raw(port, kept, body)
    assert (status, json.loads(content)["resultCode"]) == answer
    assert headers["connection"] == "close"


@pytest.mark.parametrize("path", ["/.well-known/oauth-authorization-server/1001", "/gm/1001/g-1"])
def test_head(server, path):
    """RFC 9110 §9.3.2: the header fields of GET, and not a byte of a body."""
    port, _url, _is_asgi = server
    lines = ["GET", "HEAD"]
    answers = []
    for method in lines:
        token = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t-1\r\nConnection: close\r\n\r\n"
        answers.append(raw(port, token.encode()))
    (status, headers, body), (head_status, head_headers, nothing) = answers
    assert (status, head_status, nothing) == (200, 200, b"")
    assert int(headers["content-length"]) == len(body) > 0
    own = {"date": "", "x-request-id": ""}
    assert head_headers | own == headers | own
    empty = f"OPTIONS {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    status, headers, _ = raw(port, empty.encode())
    assert (status, "head" in headers["allow"]) == (405, True)


@pytest.mark.parametrize("name", ["Authorization", "DPoP", "Host"])
def test_fields_that_come_twice(server, name):
    port, _url, _is_asgi = server
    credentials = "GET /gm/1001/g-1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t-1\r\n"
    assert raw(port, f"{credentials}Connection: close\r\n\r\n".encode())[0] == 200
    again = {"Authorization": "Bearer t-1", "DPoP": "a.b.c", "Host": "localhost"}[name]
    twice = f"{credentials}{name}: {again}\r\n{name}: {again}\r\nConnection: close\r\n\r\n"
    assert raw(port, twice.encode())[0] == {"Authorization": 401, "DPoP": 200, "Host": 400}[name]
    call = head(PATH, "Content-Length: 2", f"Authorization: Bearer {API_TOKEN}")
    assert said(raw(port, call, b"{}")) == (400, "A001203")


def by_http_2(port, path, media_type, *data, fields=(), end=True):
    """The body of the answer to a request without a Content-Length (RFC 9113, RFC 7541 §6.2.2)."""

    def frame(kind, flags, stream, payload):
        return (
            struct.pack(">I", len(payload))[1:]
            + bytes([kind, flags])
            + struct.pack(">I", stream)
            + payload
        )

    def text(value):
        return bytes([len(value)]) + value.encode()

    fields = [
        *((":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "localhost")),
        *(("authorization", f"Bearer {API_TOKEN}"), ("content-type", media_type), *fields),
    ]
    block = b"".join(b"\0" + text(name) + text(value) for name, value in fields)
    sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"") + frame(1, 4, 1, block)
    for number, part in enumerate(data, 1):
        sent += frame(0, int(end and number == len(data)), 1, part)
    if not end:
        sent += frame(3, 0, 1, struct.pack(">I", 8))  # RST_STREAM, CANCEL
        sent += frame(6, 0, 0, b"12345678")  # PING: answered when all before it was read
    with (
        socket.create_connection(("127.0.0.1", port), 30) as connection,
        connection.makefile("rb") as stream,
    ):
        connection.sendall(sent)
        content = b""
        while header := stream.read(9):
            payload = stream.read(int.from_bytes(header[:3]))
            kind, flags = header[3], header[4]
            if kind == 0:
                content += payload
            if (
                (kind in (0, 1) and flags & 1)
                or (kind == 6 and flags & 1 and not end)
                or kind in (3, 7)
            ):
                break
        return content


def test_http_2(server):
    """Without a length, and with a wrong one, which is an error of the stream (RFC 9113 §8.1.1)."""
    port, url, is_asgi = server
    before = everything(url)
    query = json.dumps(QUERY).encode()
    code = "A277001" if is_asgi else "A001209"
    answer = by_http_2(port, PATH, "application/json", query[:9], query[9:])
    assert json.loads(answer)["resultCode"] == code
    length = ("content-length", str(len(query)))
    answer = by_http_2(port, PATH, "application/json", query, fields=[length])
    assert json.loads(answer)["resultCode"] == "A277001"
    absent = by_http_2(port, REPLACE, "application/json", b"")
    assert json.loads(absent)["resultCode"] == "A126203"
    longer = ("content-length", str(len(NARROWED)))
    by_http_2(port, REVOKE, FORM, WIDE, fields=[longer])
    by_http_2(port, REVOKE, FORM, WIDE, end=False)
    by_http_2(port, REVOKE, FORM, WIDE, fields=[longer], end=False)
    assert everything(url) == before


@contextlib.contextmanager
def behind_a_proxy(url, name, *, module="gm_project.serving", host="127.0.0.1", **more):
    """A server that takes certificates from this machine; ask it with header lines."""
    settings = {"CLIENT_CERTIFICATE_HEADER": name, "TRUSTED_PROXIES": ["127.0.0.0/8"]} | more
    env = host_settings(GRANT_MANAGEMENT=settings, ALLOWED_HOSTS=["*"])
    with serving(url, module=module, host=host, **env) as port:

        def ask(*lines):
            top = ("GET /gm/1001/g-1 HTTP/1.1", "Host: localhost", "Authorization: Bearer t-3")
            text = "".join(f"{line}\r\n" for line in (*top, "Connection: close", *lines, ""))
            return raw(port, text.encode())[0]

        yield ask


BARE = "".join(PEM.splitlines()[1:-1])
SEQUENCE = f":{BARE}:"


def test_certificate_past_a_proxy_that_strips_one_name(url):
    """granian makes one header of `X-Client-Cert` and `X_Client_Cert`."""
    with behind_a_proxy(url, "X-Client-Cert") as ask:
        for value in (BARE, SEQUENCE):
            assert ask(f"X_Client_Cert: {value}") == 401
            assert ask(f"X-Client_Cert: {value}", "X-Client-Cert: ") == 401
            assert ask(f"X-Client-Cert: {value}") == 401


def test_certificate_by_a_name_of_one_spelling(url):
    other = ":" + "".join(CA.splitlines()[1:-1]) + ":"
    with behind_a_proxy(url, "ClientCert") as ask:
        assert ask(f"ClientCert: {SEQUENCE}") == ask(f"clientcert: {BARE}") == 200
        assert ask(f"ClientCert: {BARE},{other[1:-1]}") == 200
        assert ask(f"Client_Cert: {SEQUENCE}") == ask(f"Client-Cert: {SEQUENCE}") == 401
        for first, second in ((SEQUENCE, other), (other, SEQUENCE), (SEQUENCE, ""), ("", SEQUENCE)):
            assert ask(f"ClientCert: {first}", f"ClientCert: {second}") == 401
        assert ask(f"ClientCert: {SEQUENCE}, {other}") == 401


def test_certificate_where_underscores_are_dropped(url):
    """By a proxy that says so, and by Django's ASGI itself."""
    with behind_a_proxy(url, "X-Client-Cert", UNDERSCORES_ARE_DROPPED=True) as ask:
        assert ask(f"X-Client-Cert: {SEQUENCE}") == 200
    with behind_a_proxy(url, "X-Client-Cert", module="tests.asgi_server") as ask:
        assert ask(f"X-Client-Cert: {SEQUENCE}") == 200
        assert ask(f"X_Client_Cert: {SEQUENCE}") == 401


def test_address_of_a_socket_for_both(url):
    """`::ffff:127.0.0.1` is 127.0.0.1."""
    if not socket.has_dualstack_ipv6():
        pytest.skip("needs IPv6")
    with behind_a_proxy(url, "ClientCert", host="::") as ask:
        assert ask(f"ClientCert: {SEQUENCE}") == 200


def test_large_bodies(url):
    """Above Django's limit, and below the app's; over that one too, by HTTP."""
    settings = {"MAX_BODY_SIZE": 8_000_000}
    env = host_settings(GRANT_MANAGEMENT=settings, DATA_UPLOAD_MAX_MEMORY_SIZE=1_000)
    with serving(url, **env) as port:
        for size in (3_000_000, 7_900_000):
            assert post(port, PATH, API_TOKEN, QUERY | {"x": "y" * size})[0] == 200
        assert said(raw(port, head(PATH, "Content-Length: 8000001"), b"{")) == (413, "A001206")
