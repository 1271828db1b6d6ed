"""Clients that stall, at any point of a request: nobody else waits, and they are closed."""

import contextlib
import http.client
import io
import json
import re
import secrets
import select
import socket
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
from django.core.exceptions import RequestDataTooBig
from django.urls import reverse

from gm_project.serving.bodies import SMALL, Bodies, EndedEarly, NoRoom
from gm_project.serving.tcp import clients

from ..admin.test_exports import FILL, LOGIN
from ..postgresql import run as run_on
from ..standalone import API_TOKEN, PATH, QUERY, manage, post, seed, serving
from .test_processes import database_url, postgresql, shared_url  # noqa: F401 - fixtures

CLIENTS = 200
EXPORT = reverse("admin:grant_management_grantevent_export_jsonl")
HEAD = (
    f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {API_TOKEN}\r\n"
    "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n"
)
BODY = json.dumps(QUERY).encode()
LARGE = HEAD.format(1_000_000).encode() + b"{" + 200_000 * b" "
KINDS = {
    "silent": (b"", False),
    "half of the headers": (HEAD[:30].encode(), False),
    "dripped headers": (HEAD[:30].encode(), True),
    "no body": (HEAD.format(len(BODY)).encode(), False),
    "half of a body": (HEAD.format(len(BODY)).encode() + BODY[:9], False),
    "dripped body": (HEAD.format(len(BODY)).encode() + BODY[:9], True),
    "half of a large body": (LARGE, False),
    "idle": (HEAD.format(len(BODY)).encode() + BODY, False),
    "form of a page": (
        b"POST /admin/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\nusername=",
        False,
    ),
}


@pytest.fixture
def url(database_url, tmp_path):  # noqa: F811 - it is that fixture
    seed(database_url, tmp_path)
    return database_url


@contextlib.contextmanager
def stalling(port, sent, drips, number=CLIENTS):
    """So many connections that sent this; then a byte now and then, or nothing."""
    over = threading.Event()
    with contextlib.ExitStack() as stack:
        made = []
        for _ in range(number):
            made.append(stack.enter_context(socket.create_connection(("127.0.0.1", port), 60)))
            made[-1].sendall(sent)
        dripping = threading.Thread(target=drip, args=(made, over), daemon=True)
        if drips:
            dripping.start()
        yield made
        over.set()
        if drips:
            dripping.join()


def drip(made, over):
    while not over.wait(0.3):
        for client in made:
            with contextlib.suppress(OSError):  # it was closed
                client.send(b"x")


def ends(client):
    """Wait for the end of a connection."""
    with contextlib.suppress(ConnectionError):
        while client.recv(65_536):
            pass


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_waits_for_them(shared_url, kind):  # noqa: F811 - it is that fixture
    """Here nobody closes them, so each call of another client would wait for ever."""
    with serving(shared_url, CONNECTION_SECONDS="600") as port, stalling(port, *KINDS[kind]):
        for _ in range(20):
            assert post(port, PATH, API_TOKEN, QUERY)[1]["action"] == "OK"


@pytest.mark.parametrize("kind", KINDS)
def test_they_are_closed(shared_url, kind):  # noqa: F811 - it is that fixture
    with serving(shared_url, CONNECTION_SECONDS="1") as port:
        with stalling(port, *KINDS[kind], number=20) as stalled:
            for client in stalled:
                ends(client)
        assert post(port, PATH, API_TOKEN, QUERY)[1]["action"] == "OK"


def test_a_body_that_is_cut_off_calls_nothing(shared_url, tmp_path):  # noqa: F811 - it is that fixture
    """Not even the API token is looked at, and the log has no line for each."""
    log = tmp_path / "log"
    with (
        serving(shared_url, log=log, CONNECTION_SECONDS="1") as port,
        stalling(port, *KINDS["half of a body"], number=20) as stalled,
    ):
        for client in stalled:
            ends(client)
    assert log.read_text() == ""


def test_calls_at_once_have_a_connection_each(url, request):
    """However many clients there are at once: threads that wait for them have none."""
    if not url.startswith("postgresql"):
        pytest.skip("about PostgreSQL")
    server = request.getfixturevalue("postgresql")
    with serving(url) as port, stalling(port, *KINDS["half of a body"], number=50) as stalled:
        callers = [threading.Thread(target=calls, args=(port,)) for _ in range(16)]
        for caller in callers:
            caller.start()
        for client in stalled:
            client.sendall(BODY[9:])
        for caller in callers:
            caller.join()
        sessions = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        assert run_on(server, sessions) == [(4 + 1,)]  # and the one that asks


def calls(port):
    for _ in range(20):
        assert post(port, PATH, API_TOKEN, QUERY)[1]["action"] == "OK"


@pytest.fixture
def operator(url):
    """What a server needs to know, and the cookie of somebody who has logged in."""
    env = {"DATABASE_URL": url, "SECRET_KEY": secrets.token_urlsafe(50)}
    session = re.search(r"session (\w+)", manage("shell", "-c", LOGIN, **env)).group(1)
    manage("shell", "-c", FILL, **env)
    return {"SECRET_KEY": env["SECRET_KEY"]}, f"sessionid={session}"


@contextlib.contextmanager
def reader(port, cookie):
    """Somebody who exports, and takes little at a time."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    with client:
        client.settimeout(60)
        client.connect(("127.0.0.1", port))
        client.sendall(
            f"GET {EXPORT} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n".encode()
        )
        yield client


def test_nobody_waits_for_readers_that_stop(url, operator):
    """More of them than there are slots; and another operator still gets an export."""
    env, cookie = operator
    with serving(url, CONNECTION_SECONDS="600", **env) as port, contextlib.ExitStack() as stack:
        for _ in range(8):
            client = stack.enter_context(reader(port, cookie))
            assert client.recv(1_000).startswith(b"HTTP/1.1 200")
        for _ in range(20):
            assert post(port, PATH, API_TOKEN, QUERY)[1]["action"] == "OK"
        with reader(port, cookie) as client:
            assert client.recv(1_000).startswith(b"HTTP/1.1 200")


def taken(client, pause=0.0):
    """The length that an answer announces, and the bytes of it that come."""
    answer = b""
    with contextlib.suppress(ConnectionError):
        while part := client.recv(65_536):
            answer += part
            time.sleep(pause)
            length = int(re.search(rb"(?i)content-length: (\d+)", answer).group(1))
            if len(answer.partition(b"\r\n\r\n")[2]) == length:
                break
    return length, len(answer.partition(b"\r\n\r\n")[2])


def test_readers_that_stop_are_closed_and_slow_ones_are_not(url, operator):
    env, cookie = operator
    with (
        serving(url, CONNECTION_SECONDS="2", **env) as port,
        reader(port, cookie) as stops,
        reader(port, cookie) as reads,
    ):
        began = time.monotonic()
        announced, received = taken(reads, pause=0.05)
        assert time.monotonic() - began > 4, "it was not slow"
        assert received == announced > 10_000_000
        announced, received = taken(stops)
        assert received < announced


def test_a_page_may_take_longer_than_a_call(url):
    """An export is silent until all of it is written."""
    with (
        serving(url, CONNECTION_SECONDS="1", module="tests.slow_server") as port,
        contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as client,
    ):
        client.request("GET", "/admin/slow")
        assert client.getresponse().read() == b"slow"
        client.request("GET", "/api/slow")
        with pytest.raises(ConnectionError):
            client.getresponse()


def test_pages_leave_a_slot_to_the_api(url):
    with serving(url, module="tests.slow_server") as port:
        pages = [http.client.HTTPConnection("127.0.0.1", port, timeout=60) for _ in range(8)]
        for page in pages:
            page.request("GET", "/admin/slow")
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        ) as client:
            client.request("GET", "/api/quick")
            assert client.getresponse().read() == b"quick"
            # It was answered while pages were at work.
        readable = [page.sock for page in pages]
        assert select.select(readable, [], [], 0)[0] == []
        for page in pages:
            page.close()


def test_connections_to_a_database_are_left_alone():
    """Also where it has the port that the server listens on, on another machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as outgoing, server.accept()[0] as own:
            assert [one.peer for one in clients(port)] == [own.getpeername()]
            assert list(clients(outgoing.getpeername()[1] + 1)) == []
            for one in clients(port):
                one.end()
            assert outgoing.recv(1) == b""


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_locks_of_sqlite_are_left_alone(mode, tmp_path):
    """They are the process's: they end where it closes any descriptor of the file (fcntl(2))."""
    path = tmp_path / "locked.sqlite3"
    code = "import sqlite3, sys; sqlite3.connect(sys.argv[1], 0).execute('BEGIN IMMEDIATE')"
    line = [sys.executable, "-c", code, str(path)]
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA journal_mode={mode}")
        connection.execute("CREATE TABLE a (b)")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO a VALUES (1)")
        list(clients(1))
        done = subprocess.run(line, capture_output=True, text=True)
    assert "database is locked" in done.stderr


def bodies_read(bodies, size, body, **more):
    """As granian hands a body on."""
    environ = {"SERVER_PROTOCOL": "HTTP/1.1", "SERVER_SOFTWARE": "Granian"} | more
    return bodies.read(environ | {"CONTENT_LENGTH": str(size), "wsgi.input": io.BytesIO(body)})


def test_large_bodies_share_the_memory(monkeypatch):
    """What has arrived counts; it is given back when the call ends."""
    monkeypatch.setattr("gm_project.serving.bodies.LARGE", 300_000)
    bodies = Bodies()
    first = bodies_read(bodies, 200_000, 200_000 * b"x")
    with pytest.raises(NoRoom):
        bodies_read(bodies, 200_000, 200_000 * b"x")
    assert bodies_read(bodies, SMALL, SMALL * b"x").read() == SMALL * b"x"
    with pytest.raises(EndedEarly):
        bodies_read(bodies, 200_000, 90_000 * b"x")
    first.close()
    assert len(bodies_read(bodies, 290_000, 290_000 * b"x").read()) == 290_000


def test_a_body_larger_than_any_view_takes_is_not_read():
    sent = bodies_read(Bodies(), 3_000_000, b"x")
    with pytest.raises(RequestDataTooBig):
        sent.read()


def test_bodies_by_http_2_leave_threads_to_others(monkeypatch):
    monkeypatch.setattr("gm_project.serving.bodies.STREAMS", 1)
    bodies, version = Bodies(), {"SERVER_PROTOCOL": "HTTP/2"}
    reading, ended = threading.Event(), threading.Event()

    class Stalled:
        def read(self, size):
            reading.set()
            ended.wait(60)
            return b""

    stalled = threading.Thread(
        target=lambda: bodies.read(version | {"wsgi.input": Stalled()}), daemon=True
    )
    stalled.start()
    assert reading.wait(60)
    with pytest.raises(NoRoom):
        bodies_read(bodies, 2, b"{}", **version)
    assert bodies_read(bodies, 2, b"{}").read() == b"{}"
    ended.set()
    stalled.join()
    assert bodies_read(bodies, 2, b"{}", **version).read() == b"{}"
