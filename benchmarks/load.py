"""Load: prepared requests over connections that stay open, every answer checked."""

import selectors
import socket
import statistics
import time
from dataclasses import dataclass, field

CONNECTIONS = 8


@dataclass
class Run:
    """The times of a round of requests, in seconds."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self):
        """Requests a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share):
        """The latency in milliseconds that this share (0 to 1) of the requests does not exceed."""
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1_000

    @property
    def median(self):
        """The median latency, in milliseconds."""
        return statistics.median(self.latencies) * 1_000


class _Connection:
    """A connection that sends a request when the last one has been answered."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.began = 0.0

    def send(self, request):
        self.buffer = b""
        self.began = time.perf_counter()
        self.socket.sendall(request)

    def receive(self):
        """The whole answer; None while more of it is to come."""
        read = self.socket.recv(65_536)
        if not read:
            raise ConnectionError("the server closed the connection")
        self.buffer += read
        head, separator, body = self.buffer.partition(b"\r\n\r\n")
        if not separator:
            return None
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                return self.buffer if len(body) >= int(line[15:]) else None
            if line.startswith(b"transfer-encoding:"):
                return self.buffer if body.endswith(b"0\r\n\r\n") else None
        return self.buffer


def drive(port, requests, expected, connections=CONNECTIONS):
    """Send these requests, and time the answers.

    AssertionError: an answer has another status than 200, or does not contain `expected`.
    """
    run, waiting = Run(), iter(requests)
    with selectors.DefaultSelector() as selector:
        opened = [_Connection(port) for _ in range(min(connections, len(requests)))]
        began = time.perf_counter()
        for connection in opened:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send(next(waiting))
        busy = len(opened)
        while busy:
            for key, _ in selector.select():
                busy -= _serve(key.data, selector, waiting, expected, run)
        run.seconds = time.perf_counter() - began
        for connection in opened:
            connection.socket.close()
    return run


def _serve(connection, selector, waiting, expected, run):
    """Read from a connection, and send its next request; 1 where there is none, else 0."""
    answer = connection.receive()
    if answer is None:
        return 0
    run.latencies.append(time.perf_counter() - connection.began)
    assert answer.startswith(b"HTTP/1.1 200"), answer[:300]
    assert expected in answer, answer[:1_500]
    request = next(waiting, None)
    if request is None:
        selector.unregister(connection.socket)
        return 1
    connection.send(request)
    return 0


def post(path, body, *, content_type="application/json", **headers):
    """The bytes of a POST request."""
    return _request("POST", path, body, {"Content-Type": content_type, **headers})


def get(path, **headers):
    """The bytes of a GET request."""
    return _request("GET", path, b"", headers)


def _request(method, path, body, headers):
    fields = {"Host": "127.0.0.1", "Content-Length": str(len(body)), **headers}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {text}" for name, text in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body
