"""Clients that stall at each point of a request, while others are served."""

import contextlib
import socket

from . import targets
from .load import post

CLIENTS = 100


@contextlib.contextmanager
def stalled(port):
    """So many connections: silent, in the headers, before and within the body, and idle."""
    whole = post(targets.PATH, b"{}", Authorization=f"Bearer {targets.API_TOKEN}")
    sent = (b"", whole[:30], whole[:-2], whole[:-1], whole)
    with contextlib.ExitStack() as stack:
        for number in range(CLIENTS):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            client.sendall(sent[number % len(sent)])
        yield
