"""Workers come and go, and no new connection is dropped: each call is answered, or refused."""

import contextlib
import http.client
import os
import random
import signal
import socket
import sys
import threading
import time

import pytest

from gm_project.serving.leaving import _stop_accepting
from gm_project.serving.listening import listen

from ..standalone import API_TOKEN, PATH, children, runs, until
from .test_supervision import server

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells"),
    pytest.mark.usefixtures("once"),
]
HEADERS = {"Authorization": f"Bearer {API_TOKEN}", "Content-Type": "application/json"}
CALLS = 2_000


class Client(threading.Thread):
    """Calls in turn, for as long as it is entered; `failed` has what was not answered.

    `keeps`: over one connection for as long as the server keeps it, and else over a new one each
    time. Some time passes between two steps, as it does on a network.
    """

    def __init__(self, port, keeps):
        super().__init__()
        self.port, self.keeps = port, keeps
        self.answered, self.failed, self.over = 0, [], threading.Event()

    def run(self):
        while not self.over.is_set():
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            try:
                self.connection.connect()
                while self.call() and not self.over.is_set():
                    pass
            except ConnectionRefusedError:
                self.over.set()  # the server has ended
            except (OSError, http.client.HTTPException, AssertionError) as error:
                self.failed.append(repr(error))
            self.connection.close()

    def call(self):
        """Whether the connection is kept."""
        time.sleep(random.random() / 100)
        more = {} if self.keeps else {"Connection": "close"}
        self.connection.request("POST", PATH, "{}", HEADERS | more)
        answer = self.connection.getresponse()
        answer.read()
        assert answer.status == 200
        self.answered += 1
        return not answer.will_close


@contextlib.contextmanager
def calling(port):
    """Three that connect for each call, and three that keep their connection."""
    clients = [Client(port, keeps) for keeps in (False, True) * 3]
    for client in clients:
        client.start()
    try:
        yield clients
    finally:
        for client in clients:
            client.over.set()
            client.join()


def count(clients, keeps=False):
    return sum(client.answered for client in clients if client.keeps is keeps)


def failures(clients):
    return [error for client in clients for error in client.failed]


def test_hup(url):
    with server(url) as (port, process), calling(port) as clients:
        for _ in range(5):
            before = set(children(process.pid))
            process.send_signal(signal.SIGHUP)
            until(lambda before=before: not before & set(children(process.pid)), "all are new")
        until(lambda: count(clients) > CALLS, "many calls")
        assert count(clients, keeps=True) > CALLS / 2
        assert failures(clients) == []


def test_recycling(url):
    with server(url, WORKER_MAX_REQUESTS="50") as (port, process), calling(port) as clients:
        before = set(children(process.pid))
        until(lambda: count(clients) > CALLS, "many calls")
        assert not before & set(children(process.pid))
        assert failures(clients) == []


def test_the_end(url):
    """Connections that the kernel took are answered; those that come later are refused."""
    for _ in range(3):
        with server(url) as (port, process), calling(port) as clients:
            until(lambda clients=clients: count(clients) > 50, "calls")
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0
            until(lambda clients=clients: all(one.over.is_set() for one in clients), "refusals")
            assert failures(clients) == []


def test_what_the_kernel_has_queued_is_answered(url):
    """The worker stands still while clients connect, and hears that it ends before it goes on."""
    request = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with server(url, workers=1) as (port, process), contextlib.ExitStack() as stack:
        (worker,) = children(process.pid)
        with socket.create_connection(("127.0.0.1", port), 60) as first:
            first.sendall(request)
            assert first.recv(65_536)  # it has started
        os.kill(worker, signal.SIGSTOP)
        clients = []
        for _ in range(500):
            made = socket.create_connection(("127.0.0.1", port), 60)
            clients.append(stack.enter_context(made))
            made.sendall(request)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)  # the supervision looks five times a second
        os.kill(worker, signal.SIGCONT)
        for client in clients:
            assert client.recv(65_536).startswith(b"HTTP/1.1 200")


def test_what_comes_before_the_first_worker_is_queued():
    with listen("127.0.0.1", 0) as listening, contextlib.ExitStack() as stack:
        for _ in range(500):
            stack.enter_context(socket.create_connection(listening.getsockname(), 1))


def test_a_client_that_has_just_connected_is_waited_for(url):
    with server(url, workers=1) as (port, process):
        (before,) = children(process.pid)
        clients = []
        with contextlib.ExitStack() as stack:
            process.send_signal(signal.SIGHUP)
            while runs(before):
                made = socket.create_connection(("127.0.0.1", port), 60)
                clients.append(stack.enter_context(made))
                time.sleep(0.02)
                for client in clients[-10:-9]:  # after 0.2 s
                    client.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    assert client.recv(65_536).startswith(b"HTTP/1.1 200")
        assert len(clients) > 10


def test_the_last_answer_of_a_connection_says_so(url):
    """RFC 9112 section 9.6."""
    with server(url, workers=1) as (port, process):
        said = []
        with socket.create_connection(("127.0.0.1", port), 60) as client:
            process.send_signal(signal.SIGHUP)
            while not said or b"connection: close" not in said[-1]:
                client.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
                said.append(client.recv(65_536).lower())
                time.sleep(0.05)
            assert client.recv(1) == b""
        assert all(one.startswith(b"http/1.1 200") for one in said)


def test_a_listening_socket_that_nobody_reaches():
    """In the place of one that others share. Its owner waits, and does not ask again and again."""
    with socket.create_server(("127.0.0.1", 0)) as shared:
        address = shared.getsockname()
        with socket.socket(fileno=shared.detach()) as listening:
            other = listening.dup()
            _stop_accepting(listening.fileno())
            with pytest.raises(BlockingIOError):
                listening.accept()
            with socket.create_connection(address), other.accept()[0]:
                pass  # the others still accept
            other.close()
            with listening.dup() as held:
                assert held.getsockopt(socket.SOL_SOCKET, socket.SO_DOMAIN) == socket.AF_UNIX
