"""What the kernel knows of the connections of this process (Linux: /proc, tcp_info of tcp(7)).

granian hands out no sockets. They are found among the open files of the process; each is duplicated
first and looked at then, since its number may mean another file at any moment.
"""

import contextlib
import os
import socket
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

_ESTABLISHED, _CLOSE_WAIT = 1, 8  # include/net/tcp_states.h
_SIZE: Final = 192
# include/uapi/linux/tcp.h: tcpi_state is a byte at 0; tcpi_last_data_sent and tcpi_last_data_recv,
# in milliseconds, are four bytes each at 44 and 52. Both count from the connection's start where
# nothing was sent or received. tcpi_unacked, at 24, is the queue of a socket that listens.
_TIMES, _QUEUE = struct.Struct("44xI4xI"), struct.Struct("24xI")


@dataclass(frozen=True, slots=True)
class Client:
    """A connection that was accepted. The times are seconds since then, or since its start."""

    peer: Any
    """The address of the other end, as `socket.getpeername` has it."""
    sent: float
    """Since data was last sent to the client."""
    received: float
    """Since data was last received from it."""
    _socket: socket.socket

    def end(self) -> None:
        """Shut it down: whoever reads or writes it meets its end, and closes it."""
        with contextlib.suppress(OSError):  # it has ended
            self._socket.shutdown(socket.SHUT_RDWR)


def clients(port: int) -> Iterator[Client]:
    """The open connections to a port of this machine that this process accepted.

    Each is for use before the next one is asked for.
    """
    for name in os.listdir("/proc/self/fd"):
        found = _duplicate(name)
        if found is not None:
            with found, contextlib.suppress(OSError):
                client = _client(found, port)
                if client is not None:
                    yield client


def are_known(listening: socket.socket) -> bool:
    """Whether this system tells: Linux does, unless something stands in its place (a sandbox)."""
    if sys.platform != "linux":
        return False
    try:
        waiting(listening)
        return bool(os.listdir("/proc/self/fd"))
    except (OSError, struct.error):
        return False


def waiting(listening: socket.socket) -> int:
    """The connections that nobody has accepted yet."""
    told = listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _SIZE)
    return int(_QUEUE.unpack_from(told)[0])


def _duplicate(number: str) -> socket.socket | None:
    """Another descriptor of a socket; None: it is no socket, or not there any more.

    Never of a file: where one is closed, the kernel takes all locks that this process has on it
    (fcntl(2)), and SQLite would lose its own.
    """
    try:
        if not os.readlink(f"/proc/self/fd/{number}").startswith("socket:"):
            return None
        copy = os.dup(int(number))
        return socket.socket(fileno=copy)
    except OSError:
        return None  # if the number meant a file by then, its copy stays open for that reason


def _client(found: socket.socket, port: int) -> Client | None:
    # The other end of a connection to a database has that port, this end has not.
    if found.family not in (socket.AF_INET, socket.AF_INET6) or found.getsockname()[1] != port:
        return None
    told = found.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _SIZE)
    if told[0] not in (_ESTABLISHED, _CLOSE_WAIT):
        return None
    sent, received = _TIMES.unpack_from(told)
    return Client(found.getpeername(), sent / 1_000, received / 1_000, found)
