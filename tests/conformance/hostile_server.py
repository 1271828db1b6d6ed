"""A server that does something else wrong to each connection, below and above HTTP."""

import contextlib
import gzip
import itertools
import socket
import struct
import time
from threading import Event, Thread

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BOMB = gzip.compress(b" " * 50_000_000)


def forever(part, pause=0.0):
    """The same bytes, until the client hangs up or the test is over."""

    def send(line, over):
        while not over.is_set():
            line.sendall(part)
            time.sleep(pause)

    return send


def once(*parts):
    def send(line, over):
        for part in parts:
            line.sendall(part)

    return send


def after(start, then):
    def send(line, over):
        line.sendall(start)
        then(line, over)

    return send


def reset(line, over):
    """RST in place of FIN."""
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def silent(line, over):
    over.wait(30)


HOSTILITIES = {
    "closes at once": once(b""),
    "resets": reset,
    "is silent": silent,
    "speaks another protocol": once(b"SSH-2.0-x\r\n"),
    "answers by TLS": once(b"\x15\x03\x03\x00\x02\x02\x46"),
    "has half a status line": once(b"HTTP/1.1 20"),
    "has a status that is no number": once(b"HTTP/1.1 abc OK\r\n\r\n"),
    "has a negative length": once(OK + b"Content-Length: -5\r\n\r\n{}"),
    "has a length that is no number": once(OK + b"Content-Length: x\r\n\r\n[]"),
    "is HTTP/1.0, and breaks off": once(b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n{"),
    "is HTTP/1.0 with text": once(b"HTTP/1.0 200 OK\r\n\r\nhello"),
    "sends an endless body": after(OK + b"\r\n", forever(b" " * 65_536)),
    "sends endless chunks": after(
        OK + b"Transfer-Encoding: chunked\r\n\r\n", forever(b"1000\r\n" + b" " * 4096 + b"\r\n")
    ),
    "sends a chunk of no length": once(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"),
    "sends endless headers": after(OK, forever(b"X: " + b"a" * 1000 + b"\r\n")),
    "sends an endless line": forever(b"a" * 65_536),
    "continues for ever": forever(b"HTTP/1.1 100 Continue\r\n\r\n", 0.01),
    "drips": after(OK + b"Content-Length: 99\r\n\r\n", forever(b" ", 0.05)),
    "bombs": once(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB), BOMB),
    "redirects to itself": once(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"),
    "redirects to a file": once(
        b"HTTP/1.1 307 Moved\r\nLocation: file:///etc/hosts\r\nContent-Length: 0\r\n\r\n"
    ),
    "nests": once(OK + b"\r\n" + b"[" * 500_000),
    "is no UTF-8": once(OK + b"\r\n" + b"\xff\xfe{}"),
    "controls the terminal": once(OK + b"\r\n" + b"\x1b[2J\x07"),
}


@contextlib.contextmanager
def serving(*names):
    """The port, and the list of the hostilities that were shown so far, in turn."""
    listening, over = socket.create_server(("127.0.0.1", 0)), Event()
    shown, turns = [], itertools.cycle(names or HOSTILITIES)

    def be_hostile(line):
        with line, contextlib.suppress(OSError):
            line.settimeout(5)
            line.recv(65_536)
            shown.append(name := next(turns))
            HOSTILITIES[name](line, over)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                Thread(target=be_hostile, args=(listening.accept()[0],), daemon=True).start()

    Thread(target=accept, daemon=True).start()
    try:
        yield listening.getsockname()[1], shown
    finally:
        over.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
