"""Deadlines of connections: one that is silent, or whose request is not answered, is closed.

granian bounds the headers of a request alone. Here the kernel is asked, so whatever a client does
counts alike: it sends nothing, or byte by byte, half of a body, no second request, or it stops
reading. As long as an answer is being sent and read, a connection may live.
"""

import time
from collections.abc import Callable
from typing import Any, Final

from gm_project.serving.tcp import Client, clients

SAME: Final = 0.01
"""Seconds by which two readings of one moment may differ."""


class Reaper:
    """Looks at the connections of this process that came to a port, and closes those past their
    deadline of so many seconds.

    `spares` is asked before: is a request from this address, that began at this moment (monotonic),
    one that may take longer?
    """

    def __init__(self, port: int, seconds: float, spares: Callable[[str, float], bool]) -> None:
        self._port, self._seconds, self._spares = port, seconds, spares
        self._requests: dict[Any, tuple[float, float]] = {}

    def look(self) -> None:
        """Once at all connections: to be called every second or so."""
        known, self._requests = self._requests, {}
        for client in clients(self._port):
            now = time.monotonic()
            since = self._since(client, now, known)
            if now - since > self._seconds and not self._spares(client.peer[0], since):
                client.end()

    def _since(self, client: Client, now: float, known: dict[Any, tuple[float, float]]) -> float:
        """When the unanswered request began; without one, when the client last got anything."""
        sent, received = now - client.sent, now - client.received
        if received <= sent + SAME:
            return sent
        # The kernel knows when the last byte came, not the first one: remember what was seen.
        before, began = known.get(client.peer, (sent, received))
        if abs(before - sent) > SAME:
            began = received  # there was an answer in between
        self._requests[client.peer] = sent, began
        return began
