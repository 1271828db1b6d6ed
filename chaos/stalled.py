"""Clients that stall: connections that stay open and never finish what they began."""

import contextlib
import socket
import threading
from typing import Final

from .faults import Fault
from .model import Model
from .place import SERVICE, Place

NUMBER: Final = 200
"""Connections to each server, as many of each kind of stall."""
_LINE: Final = f"POST /api/{SERVICE}/auth/gm HTTP/1.1\r\nHost: 127.0.0.1\r\n"
_BODY: Final = f"{_LINE}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{"
BEGINNINGS: Final = ("", _LINE[:10], f"{_LINE}X-Half: ", _BODY)
"""What a client sends before it stalls: nothing, a half line, half headers, half a body."""
DRIP: Final = 0.5
"""Seconds between two bytes of every second client."""


class ClientsStalled(Fault):
    """200 connections to each server: silent, or stuck in headers or a body; half of them drip."""

    name = "clients stalled"

    def inject(self, place: Place, model: Model) -> None:
        """Open the connections."""
        self._ended = threading.Event()
        self._opened = [
            _stalled(server.port, BEGINNINGS[number % len(BEGINNINGS)])
            for server in place.servers
            for number in range(NUMBER)
        ]
        self._dripping = threading.Thread(target=self._drip, daemon=True)
        self._dripping.start()

    def heal(self, place: Place, model: Model) -> None:
        """Close them; the server may have closed some."""
        self._ended.set()
        self._dripping.join()
        for opened in self._opened:
            opened.close()

    def _drip(self) -> None:
        while not self._ended.wait(DRIP):
            for opened in self._opened[len(BEGINNINGS) :: 2]:
                with contextlib.suppress(OSError):
                    opened.send(b"x")


def _stalled(port: int, beginning: str) -> socket.socket:
    opened = socket.create_connection(("127.0.0.1", port), 5)
    opened.sendall(beginning.encode())
    return opened
