"""`/livez` and `/readyz` of the real server, and what happens when the database does not answer."""

import contextlib
import http.client
import json
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.signals import request_started
from django.test import RequestFactory

from gm_project.wsgi import application
from grant_management.api import health
from grant_management.db.probe import Probe
from grant_management.db.readiness import Readiness

from ..db.test_clocks import shifted  # noqa: F401 - a fixture
from ..ours import connection
from ..postgresql import run as run_on
from ..standalone import ROOT, environment, frozen, manage, raw, serving, until
from .test_processes import database_url, postgresql  # noqa: F401 - fixtures


def ask(port, path="/readyz", method="GET", host="203.0.113.9"):
    """Status, headers and members of an answer; without a body: None."""
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    asked.request(method, path, headers={"Host": host})
    answer = asked.getresponse()
    body = answer.read()
    asked.close()
    return answer.status, answer.headers, json.loads(body) if body else None


def failing(port):
    status, _, members = ask(port)
    assert (status == 503) is (members["status"] == "unready")
    return members.get("failing", [])


def becomes(port, words):
    until(lambda: failing(port) == words, f"/readyz says {words}")


@pytest.fixture
def url(database_url):  # noqa: F811 - it is that fixture
    manage("migrate", "-v", "0", DATABASE_URL=database_url)
    return database_url


@pytest.fixture
def on_postgresql(db):
    if connection.vendor != "postgresql":
        pytest.skip("about PostgreSQL")


def test_what_they_answer(url):
    with serving(url, PURGE_EVERY_MINUTES="0") as port:
        ready, live = {"status": "ready", "lastPurge": None}, {"status": "live"}
        for path, members in (("/readyz", ready), ("/livez", live)):
            for host in ("203.0.113.9", "evil.example", "not a host!", ""):
                status, headers, told = ask(port, path, host=host)
                assert (status, told) == (200, members)
                assert headers["Cache-Control"] == "no-store"
                assert headers["Content-Type"] == "application/json"
            status, headers, told = ask(port, path, "HEAD")
            assert (status, told) == (200, None)
            assert headers["Content-Length"] == str(len(json.dumps(members)))
            for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
                status, headers, _ = ask(port, path, method)
                assert (status, headers["Allow"]) == (405, "GET, HEAD")
        assert raw(port, b"GET /readyz HTTP/1.0\r\n\r\n")[0] == 200
        elsewhere = b"GET /readyz/ HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n"
        assert raw(port, elsewhere)[0] == 400  # Django answers, which has a rule for Host


def test_it_tells_when_the_last_purge_ended(url):
    before = datetime.now(UTC)
    manage("purge_expired", DATABASE_URL=url)
    with serving(url, PURGE_EVERY_MINUTES="0") as port:
        until(lambda: ask(port)[2]["lastPurge"], "the purge is seen")
        assert before <= datetime.fromisoformat(ask(port)[2]["lastPurge"]) <= datetime.now(UTC)


def test_a_database_that_is_not_migrated(database_url):  # noqa: F811
    with serving(database_url) as port:
        assert failing(port) == ["migrations"]
        assert ask(port, "/livez")[0] == 200
        manage("migrate", "-v", "0", DATABASE_URL=database_url)
        becomes(port, [])
        forget = "from django.db.migrations.recorder import MigrationRecorder as R; R.Migration.objects.get(app='grant_management', name__startswith='0004').delete()"
        manage("shell", "-v", "0", "-c", forget, DATABASE_URL=database_url)
        becomes(port, ["migrations"])


def test_a_newer_database(url):
    """An old server goes on while new ones are brought up."""
    add = "from django.db.migrations.recorder import MigrationRecorder as R; R.Migration.objects.create(app='grant_management', name='9999_new')"
    manage("shell", "-v", "0", "-c", add, DATABASE_URL=url)
    with serving(url) as port:
        assert failing(port) == []


def test_a_frozen_database(on_postgresql, url, postgresql):  # noqa: F811
    """One question waits; others, more than there are threads, get an answer at once."""
    with serving(url) as port:
        becomes(port, [])
        with frozen(postgresql.get_postmaster_info().pid):
            becomes(port, ["database"])
            for _ in range(3):
                begun = time.monotonic()
                with ThreadPoolExecutor(12) as pool:
                    told = list(pool.map(lambda _: (ask(port), ask(port, "/livez")), range(12)))
                assert {ready[0] for ready, _ in told} == {503}
                assert {live[0] for _, live in told} == {200}
                assert time.monotonic() - begun < 10
        becomes(port, [])


def test_a_database_that_is_away(on_postgresql, url, postgresql):  # noqa: F811
    with serving(url) as port:
        becomes(port, [])
        postgresql.stop()
        becomes(port, ["database"])
        assert "postgres" not in json.dumps(ask(port)[2])
        postgresql.start()
        becomes(port, [])


@pytest.mark.parametrize("value", ["on", "off"])
def test_a_database_that_takes_no_writes(on_postgresql, url, postgresql, value):  # noqa: F811
    """As after a failover, or where a provider stops writes to a full disk."""
    with serving(url) as port:
        becomes(port, [])
        change = f"ALTER SYSTEM SET default_transaction_read_only = {value}"
        run_on(postgresql, change, "SELECT pg_reload_conf()")
        becomes(port, ["database"] if value == "on" else [])


def test_after_a_no_a_new_connection_is_tried(on_postgresql, url, postgresql):  # noqa: F811
    """A session keeps the default with which it began, as one of an old primary would."""
    writable = "SET default_transaction_read_only = off"
    change = "ALTER DATABASE postgres SET default_transaction_read_only = "
    run_on(postgresql, writable, f"{change} on")
    with serving(url) as port:
        assert failing(port) == ["database"]
        run_on(postgresql, writable, f"{change} off")
        becomes(port, [])


def test_a_wrong_clock(on_postgresql, url, shifted):  # noqa: F811
    with serving(url, **shifted(-60)) as port:
        becomes(port, ["clock"])
    with serving(url, **shifted(3)) as port:
        becomes(port, [])


class Forwarder:
    """A way to a database's socket on which connections can be made to hang, as a firewall does."""

    def __init__(self, target):
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._open, self._hanging, self._threads = set(), set(), []

    def __enter__(self):
        self._start(self._accept)
        return self

    def __exit__(self, *error):
        self._listening.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(30)
        self._listening.close()

    def hang(self):
        """Hold back whatever comes on the connections that there are; new ones work."""
        self._hanging |= self._open

    def _start(self, target, *args):
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, server = self._listening.accept()[0], socket.socket(socket.AF_UNIX)
                server.connect(self._target)
                self._open.add(client)
                self._start(self._pass, client, server, client)
                self._start(self._pass, server, client, client)

    def _pass(self, one, other, client):
        with one, contextlib.suppress(OSError):
            while data := one.recv(65_536):
                if client not in self._hanging:
                    other.sendall(data)
            other.shutdown(socket.SHUT_WR)


def test_a_connection_that_hangs_is_given_up(on_postgresql, url, postgresql):  # noqa: F811
    """A new one is made: the server is ready again, without a restart."""
    folder = Path(postgresql.get_postmaster_info().socket_dir)
    target = next(one for one in folder.glob(".s.PGSQL.*") if one.suffix != ".lock")
    with Forwarder(str(target)) as way:
        through = f"postgresql://postgres@127.0.0.1:{way.port}/postgres"
        with serving(through) as port:
            becomes(port, [])
            way.hang()
            becomes(port, ["database"])
            becomes(port, [])


def test_sqlite_that_is_locked(tmp_path):
    if connection.vendor != "sqlite":
        pytest.skip("about SQLite")
    url = f"sqlite:///{tmp_path / 'own.sqlite3'}"
    manage("migrate", "-v", "0", DATABASE_URL=url)
    with serving(url) as port:
        becomes(port, [])
        with contextlib.closing(sqlite3.connect(tmp_path / "own.sqlite3")) as other:
            other.execute("BEGIN IMMEDIATE")
            becomes(port, ["database"])
            other.execute("ROLLBACK")
        becomes(port, [])


READ_ONLY = """
import os, django
django.setup()
from grant_management.db.probe import Probe
probe = Probe()
print(probe.ask())
os.setresuid(65534, 65534, 65534)
print(probe.ask())
"""


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="changes its user")
def test_sqlite_whose_file_is_not_writable(db):
    if connection.vendor != "sqlite":
        pytest.skip("about SQLite")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        url = f"sqlite:///{folder}/own.sqlite3"
        manage("migrate", "-v", "0", DATABASE_URL=url)
        env = environment(DATABASE_URL=url, DJANGO_SETTINGS_MODULE="gm_project.settings")
        line = [sys.executable, "-c", READ_ONLY]
        done = subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["()", "('database',)"], done.stderr


def wsgi(path, method="GET"):
    """What the application answers; and how often Django began to handle a request."""
    said, begun = [], []

    def note(**signal):
        begun.append(signal)

    request_started.connect(note)
    try:
        environ = RequestFactory().get(path).environ | {"REQUEST_METHOD": method}
        body = b"".join(application(environ, lambda status, headers: said.append(status)))
    finally:
        request_started.disconnect(note)
    return said[0], body, len(begun)


def test_django_is_not_asked(db, django_assert_num_queries):
    """Its signals look after the thread's connections, which may take long. No statement either."""
    with django_assert_num_queries(0):
        assert wsgi("/livez") == ("200 OK", b'{"status": "live"}', 0)
    assert wsgi("/livez", "HEAD") == ("200 OK", b"", 0)
    assert wsgi("/favicon.ico")[2] == 1


def test_draining(monkeypatch):
    monkeypatch.setattr(health, "_draining", threading.Event())
    monkeypatch.setattr(health, "readiness", Readiness(Stub(())))
    assert wsgi("/readyz")[0] == "200 OK"
    health.drain()
    status, body, _ = wsgi("/readyz")
    assert (status, json.loads(body)["failing"]) == ("503 Service Unavailable", ["draining"])
    assert wsgi("/livez")[0] == "200 OK"
    assert health.readyz(RequestFactory().get("/readyz")).status_code == 503
    assert health.livez(RequestFactory().get("/livez")).status_code == 200
    assert health.livez(RequestFactory().post("/livez")).status_code == 405


class Stub:
    """A probe that counts, and that answers when it is let."""

    def __init__(self, answer, *, waits=False):
        self.asked, self.aborted = 0, 0
        self.last_purge = None
        self._answer = answer
        self.let = threading.Event()
        if not waits:
            self.let.set()

    def ask(self):
        self.asked += 1
        self.let.wait(30)
        return self._answer

    def abort(self):
        self.aborted += 1


def test_many_probes_cost_one_question():
    probe = Stub(())
    readiness = Readiness(probe)
    assert {readiness.failing() for _ in range(1_000)} == {()}
    assert probe.asked == 1
    time.sleep(1.1)
    readiness.failing()
    assert probe.asked == 2


def test_one_at_a_time_asks():
    """Whoever comes meanwhile gets the last known answer; the late one counts when it comes."""
    probe = Stub((), waits=True)
    readiness = Readiness(probe, patience=0.5)
    with ThreadPoolExecutor(20) as pool:
        told = set(pool.map(lambda _: readiness.failing(), range(200)))
    assert told == {("database",)}
    assert (probe.asked, probe.aborted) == (1, 1)
    probe.let.set()
    until(lambda: readiness.failing() == (), "the answer")


def test_whatever_goes_wrong_is_a_no(monkeypatch):
    def fail():
        raise ValueError("a text that nobody may see")

    probe = Probe()
    monkeypatch.setattr(probe, "_opened", fail)
    assert probe.ask() == ("database",)
