"""How a worker ends without dropping a connection that it has just accepted (Linux).

granian stops accepting and closes at once what has sent no request yet. So the worker first stops
accepting by itself, answers what comes with `Connection: close`, and waits until all is quiet.
"""

import os
import socket
import time
from typing import TYPE_CHECKING, Any, Final

from gm_project.serving import tcp
from gm_project.serving.last_answer import last

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

QUIET: Final = 0.5
"""Seconds without a byte in either direction after which a connection has no request under way."""
LONGEST: Final = 5.0
"""Seconds that a worker waits for quiet; calls in hand then have until `worker.GRACE`."""
QUEUED: Final = 2.0
"""Seconds that a worker goes on accepting what the kernel has queued, if that takes so long."""
STEP: Final = 0.02


class Leaving:
    """A WSGI application in front of another one, whose worker can leave."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application
        self._leaves = False

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        """The application's answer; the last one of its connection, once the worker leaves."""
        start = last(environ, start_response) if self._leaves else start_response
        return self._application(environ, start)

    def leave(self, listening: socket.socket) -> None:
        """Take no new connections, and wait until the present ones are quiet."""
        self._leaves = True
        if not tcp.are_known(listening):
            return
        port = listening.getsockname()[1]
        _accept_queued(listening)
        _stop_accepting(listening.fileno())
        until = time.monotonic() + LONGEST
        time.sleep(STEP)  # a connection that is being accepted gets its descriptor
        while time.monotonic() < until and any(map(_is_busy, tcp.clients(port))):
            time.sleep(STEP)


def _accept_queued(listening: socket.socket) -> None:
    """Wait until granian has accepted what the kernel has queued: this may be the last worker."""
    until = time.monotonic() + QUEUED
    while time.monotonic() < until and tcp.waiting(listening):
        time.sleep(0.001)


def _is_busy(client: tcp.Client) -> bool:
    return min(client.sent, client.received) < QUIET


def _stop_accepting(descriptor: int) -> None:
    """Put a socket in the place of the one that listens, which other workers share.

    It listens too, so that granian waits for connections; but nobody knows its name, which the
    kernel chooses (unix(7), "Autobind"), and it is of this machine alone.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as nameless:
        nameless.bind("")
        nameless.listen(1)
        nameless.setblocking(False)
        os.dup2(nameless.fileno(), descriptor, inheritable=False)
