"""Workers are replaced: when they die, when they hang, when they are worn out, when told to."""

import contextlib
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from gm_project.serving import beats, supervision, worker

from ..standalone import (
    API_TOKEN,
    PATH,
    ROOT,
    SERVER,
    children,
    environment,
    free_port,
    post,
    runs,
    until,
    wait_for,
)

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
    pytest.mark.usefixtures("once"),
]


@contextlib.contextmanager
def server(url, workers=2, **env):
    """Its port and its process."""
    port = free_port()
    env = environment(DATABASE_URL=url, SECRET_KEY=secrets.token_urlsafe(50), **env)
    line = [sys.executable, *SERVER, "127.0.0.1", str(port), str(workers)]
    with subprocess.Popen(
        line, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            wait_for(port)
            until(lambda: len(children(process.pid)) == workers, "all workers run")
            yield port, process
        finally:
            process.send_signal(signal.SIGTERM)


class Callers:
    """Calls over new connections, for as long as it is entered; what failed is noted."""

    def __init__(self, port, number=2):
        self.port, self.failed, self.answered, self.over = port, [], 0, threading.Event()
        self.threads = [threading.Thread(target=self.call) for _ in range(number)]

    def call(self):
        while not self.over.is_set():
            try:
                status, _ = post(self.port, PATH, API_TOKEN, {})
                assert status == 200, status
                self.answered += 1
            except (OSError, AssertionError, ValueError) as error:
                self.failed.append(repr(error))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


def test_one_that_dies_is_replaced_however_often(url):
    with server(url) as (port, process):
        for _ in range(6):
            victim, other = children(process.pid)
            os.kill(victim, signal.SIGKILL)
            until(lambda: not runs(victim), "it is dead")
            assert runs(other)
            assert post(port, PATH, API_TOKEN, {})[0] == 200
            until(lambda: len(children(process.pid)) == 2, "there are two again")
        assert process.poll() is None


def test_one_that_hangs_is_replaced(url):
    with server(url) as (port, process):
        victim, other = children(process.pid)
        time.sleep(2 * beats.BEAT)
        os.kill(victim, signal.SIGSTOP)
        until(lambda: not runs(victim), "it is replaced")
        until(lambda: len(children(process.pid)) == 2, "there are two again")
        assert runs(other)
        assert post(port, PATH, API_TOKEN, {})[0] == 200


def test_a_server_that_was_stopped_finds_no_worker_hanging(url):
    with server(url) as (port, process):
        before = children(process.pid)
        time.sleep(2 * beats.BEAT)
        for pid in (process.pid, *before):
            os.kill(pid, signal.SIGSTOP)
        time.sleep(supervision.HANGS_AFTER + 1)
        for pid in (process.pid, *before):
            os.kill(pid, signal.SIGCONT)
        time.sleep(5 * supervision.TICK)
        assert post(port, PATH, API_TOKEN, {})[0] == 200
        assert children(process.pid) == before


def test_hup_replaces_all_while_calls_go_on(url):
    with server(url) as (port, process):
        before = set(children(process.pid))
        with Callers(port) as callers:
            process.send_signal(signal.SIGHUP)
            until(lambda: not before & set(children(process.pid)), "all are new")
            until(lambda: len(children(process.pid)) == 2, "there are two")
            answered = callers.answered
            until(lambda: callers.answered > answered + 20, "calls go on")
        assert callers.failed == []
        assert process.poll() is None


def test_worn_out_ones_are_replaced_while_calls_go_on(url):
    with server(url, WORKER_MAX_REQUESTS="40") as (port, process):
        before = set(children(process.pid))
        with Callers(port) as callers:
            until(lambda: not before & set(children(process.pid)), "all are new")
        assert callers.failed == []


def test_large_ones_are_replaced(url):
    with server(url, workers=1, WORKER_MAX_MIB="1") as (_port, process):
        (before,) = children(process.pid)
        until(lambda: not runs(before), "it is replaced")
        assert process.poll() is None


@pytest.mark.parametrize("name", ["WORKER_MAX_REQUESTS", "WORKER_MAX_MIB"])
def test_a_limit_that_is_no_number_is_refused(url, name):
    env = environment(DATABASE_URL=url, **{name: "many"})
    line = [sys.executable, *SERVER, "127.0.0.1", str(free_port()), "1"]
    done = subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert f"{name} must be a whole number" in done.stderr


def test_a_server_ends_while_a_worker_is_renewed(url):
    with server(url) as (_port, process):
        process.send_signal(signal.SIGHUP)
        time.sleep(2 * supervision.TICK)
        started = children(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=worker.GRACE + 20) == 0
        until(lambda: not any(map(runs, started)), "all have ended")


def test_systemd_hears_of_all(url, tmp_path):
    """Ready once all workers answer; alive; about to end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(60)
        told = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000000"}
        with server(url, **told) as (port, process):
            assert listening.recv(100) == b"READY=1"
            assert post(port, PATH, API_TOKEN, {})[0] == 200
            assert listening.recv(100) == b"WATCHDOG=1"
            process.send_signal(signal.SIGTERM)
            while (said := listening.recv(100)) != b"STOPPING=1":
                assert said == b"WATCHDOG=1"
            assert process.wait(timeout=60) == 0


def test_a_load_balancer_hears_of_the_end_before_it_comes(url):
    with server(url, DRAIN_SECONDS="4") as (port, process):
        assert readiness(port) == 200
        process.send_signal(signal.SIGTERM)
        until(lambda: readiness(port) == 503, "it is not ready any more")
        assert post(port, PATH, API_TOKEN, {})[0] == 200
        assert process.wait(timeout=60) == 0


def readiness(port):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as asked:
        asked.request("GET", "/readyz")
        answer = asked.getresponse()
        answer.read()
        return answer.status
