"""The socket that a server listens on.

Needs the standard library alone, since run.py imports it before anything is installed.
"""

import errno
import ipaddress
import socket

QUEUE = 1_024
"""Connections that the kernel keeps until a worker takes them, also before the first one starts.
Python alone would ask for 128, and the kernel drops what is more.
"""


class CannotListen(Exception):
    """The server cannot listen. The message says why, and what to do."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that no other server can share, not even one that starts at the same moment.

    Without SO_REUSEPORT the kernel refuses a second one. Workers inherit the socket, so the port is
    taken until the last of them has ended, even if they outlive the process that made it.

    Connections inherit TCP_NODELAY. Without it the body of an answer waits for the client's
    acknowledgement of the headers, which the client may delay by 40 ms. CannotListen: the port is
    taken, or not usable.
    """
    try:
        listening = socket.create_server(
            (host, port),
            backlog=QUEUE,
            family=socket.AF_INET6 if ":" in host else socket.AF_INET,
            dualstack_ipv6=host == "::" and socket.has_dualstack_ipv6(),
        )
    except (OSError, OverflowError) as error:
        raise CannotListen(_explained(host, port, error)) from None
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the host."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _explained(host: str, port: int, error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return (
            f"Port {port} of {host} is in use: another server listens there, or workers of one that"
            " was killed. End it, or name another port with --port."
        )
    if number == errno.EACCES:
        return f"Port {port} is not for this user: name one above 1023 with --port."
    if number is None:
        return f"{port} is no port: name one from 1 to 65535 with --port."
    return f"{host} is no address of this machine: name one with --host."
