"""The server as a process: its port, its workers' end, what it refuses."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from gm_project.serving.listening import listen

from ..standalone import (
    API_TOKEN,
    PATH,
    ROOT,
    SERVER,
    children,
    environment,
    free_port,
    post,
    running,
    runs,
    seed,
    serving,
    until,
    wait_for,
)

pytestmark = pytest.mark.usefixtures("once")


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'own.sqlite3'}"


def refusal(*line, **env):
    """Exit code and standard error of a command that should end by itself."""
    done = subprocess.run(
        [sys.executable, *map(str, line)],
        cwd=ROOT,
        env=environment(**env),
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stderr


def is_taken(host, port, url):
    code, said = refusal(*SERVER, host, port, 1, DATABASE_URL=url)
    return (code == 1 and f"Port {port} of {host} is in use" in said and "--port" in said), said


def test_a_port_in_use_is_refused(url):
    """Also where the addresses only overlap."""
    with serving(url) as port:
        dual = ["::"] if socket.has_dualstack_ipv6() else []
        for host in ("127.0.0.1", "localhost", "0.0.0.0", *dual):
            taken, said = is_taken(host, port, url)
            assert taken, said
        assert post(port, "/nothing", "", {})[0] == 404


def test_a_port_of_every_address_is_refused_to_one(url):
    port = free_port()
    with running(*SERVER, "0.0.0.0", port, 1, DATABASE_URL=url):
        wait_for(port)
        assert is_taken("127.0.0.1", port, url)[0]


def test_a_port_that_another_program_would_share_is_refused(url):
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert is_taken("127.0.0.1", other.getsockname()[1], url)[0]


def test_an_answer_does_not_wait_for_an_acknowledgement():
    """Connections inherit TCP_NODELAY: a server writes the headers and the body one by one."""
    with (
        listen("127.0.0.1", 0) as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_serve_refuses_a_taken_port_before_it_makes_a_database(url, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, said = refusal("run.py", "serve", "--port", port, DATABASE_URL=url)
    assert (code, list(tmp_path.iterdir())) == (1, [])
    assert f"Port {port} of 127.0.0.1 is in use" in said


def test_of_servers_that_start_at_once_one_runs(url):
    port = free_port()
    line = [sys.executable, *SERVER, "127.0.0.1", str(port), "2"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    env = environment(DATABASE_URL=url)
    servers = [subprocess.Popen(line, cwd=ROOT, env=env, **quiet) for _ in range(4)]
    try:
        until(lambda: [one.poll() for one in servers].count(1) == 3, "three refusals")
        wait_for(port)
        assert [one.poll() for one in servers].count(None) == 1
    finally:
        for one in servers:
            one.terminate()
            one.wait(timeout=30)


def test_workers_end_with_the_process_that_started_them(url):
    """Until they have, no other server takes their port."""
    port = free_port()
    with running(*SERVER, "127.0.0.1", port, 3, DATABASE_URL=url) as server:
        wait_for(port)
        until(lambda: len(children(server.pid)) == 3, "three workers")
        workers = children(server.pid)
        os.kill(workers[0], signal.SIGSTOP)
        server.kill()
        server.wait(timeout=30)
        taken, said = is_taken("127.0.0.1", port, url)
        assert taken, said
        os.kill(workers[0], signal.SIGCONT)
        until(lambda: not any(map(runs, workers)), "the workers' end")
    with running(*SERVER, "127.0.0.1", port, 1, DATABASE_URL=url):
        wait_for(port)


@contextlib.contextmanager
def started(url, port, workers):
    """A server in a session of its own, as in a terminal; all that it says is at hand."""
    line = [sys.executable, *SERVER, "127.0.0.1", str(port), str(workers)]
    said = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    env = environment(DATABASE_URL=url)
    with subprocess.Popen(line, cwd=ROOT, env=env, start_new_session=True, **said) as server:
        try:
            yield server
        finally:
            server.terminate()


@pytest.mark.parametrize("ending", ["SIGTERM", "SIGINT", "Ctrl+C"])
def test_a_server_that_is_ended_leaves_no_worker(url, ending):
    """Ctrl+C in a terminal reaches the workers too."""
    port = free_port()
    with started(url, port, 3) as server:
        wait_for(port)
        until(lambda: len(children(server.pid)) == 3, "three workers")
        workers = children(server.pid)
        if ending == "Ctrl+C":
            os.killpg(server.pid, signal.SIGINT)
        else:
            server.send_signal(signal.Signals[ending])
        assert server.wait(timeout=60) == 0
        assert not any(map(runs, workers))
        said = server.stdout.read().splitlines()
        # Nobody migrated this database, as what runs by itself says.
        assert [line for line in said if "ERROR" in line and "run 'migrate'" not in line] == []


def test_a_server_that_is_ended_while_it_starts_leaves_no_worker(url):
    """A worker that has no signal handler of its own yet is not waited for in vain."""
    for _ in range(3):
        with started(url, free_port(), 2) as server:
            while not (workers := children(server.pid)):
                assert server.poll() is None
            server.terminate()
            server.wait(timeout=60)
            assert not any(map(runs, workers))
            assert "Ending calls" not in server.stdout.read()


def test_a_half_sent_body_does_not_hold_up_the_end(url, tmp_path):
    """What is in hand has a limit: then the worker is ended."""
    port = free_port()
    seed(url, tmp_path)
    with started(url, port, 1) as server:
        wait_for(port)
        until(lambda: children(server.pid), "a worker")
        workers = children(server.pid)
        with socket.create_connection(("127.0.0.1", port)) as client:
            lines = [
                f"POST {PATH} HTTP/1.1",
                "Host: 127.0.0.1",
                f"Authorization: Bearer {API_TOKEN}",
            ]
            lines += ["Content-Type: application/json", "Content-Length: 9", "", "{"]
            client.sendall("\r\n".join(lines).encode())
            time.sleep(1)  # it is being read
            server.terminate()
            assert server.wait(timeout=60) == 0
        assert not any(map(runs, workers))
        assert "Ending calls" in server.stdout.read()


def test_debug_is_for_this_machine(url, tmp_path):
    for host in ("0.0.0.0", "::", "192.0.2.1"):
        code, said = refusal(
            "run.py", "serve", "--host", host, DEBUG="true", SECRET_KEY="k", DATABASE_URL=url
        )
        assert (code, "DEBUG" in said, list(tmp_path.iterdir())) == (1, True, [])
    port = free_port()
    with running(*SERVER, "127.0.0.1", port, 1, DEBUG="true", DATABASE_URL=url):
        wait_for(port)


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [
        ("192.0.2.1", 8000, "192.0.2.1 is no address of this machine"),
        ("nowhere.invalid", 8000, "nowhere.invalid is no address of this machine"),
        ("127.0.0.1", 70_000, "70000 is no port"),
    ],
)
def test_an_address_that_cannot_be(url, host, port, words):
    code, said = refusal(*SERVER, host, port, 1, DATABASE_URL=url)
    assert code == 1
    assert words in said
    assert "Traceback" not in said


def test_localhost_is_served(url):
    port = free_port()
    with running(*SERVER, "localhost", port, 1, DATABASE_URL=url):
        wait_for(port)
