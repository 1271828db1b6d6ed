"""Reads the body of a request before the request gets a slot, so that slow senders hold none.

A body is in memory when the application is called: no read of the application waits for a client.
"""

import io
import threading
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import RequestDataTooBig

from gm_project.serving.pages import PREFIXES
from grant_management.api.server import hides_broken_bodies
from grant_management.conf import app_settings

SMALL: Final = 65_536
"""Bytes. Larger bodies share `LARGE`; smaller ones are bounded by the number of threads."""
LARGE: Final = 67_108_864
"""Bytes of larger bodies that a process keeps in memory at once, whoever sent them."""
STREAMS: Final = 64
"""Bodies by HTTP/2 that are read at once. Frames that ask for an answer (PING) keep such a
connection alive although its body stalls, so they must not take the threads of others.
"""


class NoRoom(Exception):
    """There are too many bodies in hand: try again."""


class EndedEarly(Exception):
    """The body is shorter than its length, so the request is not complete (RFC 9112 §8)."""


class _TooLarge:
    """In the place of a body that is larger than any view takes. Views refuse it by its length."""

    def read(self, *size: int) -> bytes:
        """RequestDataTooBig: this view did not look at the length."""
        raise RequestDataTooBig("The body is too large.")

    readline = read

    def close(self) -> None:
        """There is nothing to close."""


class _None(io.BytesIO):
    """No body. It is never closed, since all requests share it."""

    def close(self) -> None:
        """It stays open."""


_NONE: Final = _None()
_HIDDEN: Final = _None()
"""In the place of a chunked body, where the server cannot tell that it broke off."""


def is_unread(body: Any) -> bool:
    """Whether bytes of this body are left on the connection, which then has no other request."""
    return body is _HIDDEN or isinstance(body, _TooLarge)


class Bodies:
    """Reads bodies, and knows how much of them is in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._room = LARGE
        self._streams = threading.BoundedSemaphore(STREAMS)

    def read(self, environ: dict[str, Any]) -> Any:
        """What the application is to read in place of `wsgi.input`; to be closed after the call.

        Larger than any view takes: RequestDataTooBig is raised when it is read. Without a length:
        empty; by HTTP/2 one byte, which shows that there is a body (`api.body` refuses both).
        EndedEarly: it is not complete. NoRoom: too many are in hand.
        """
        if environ["SERVER_PROTOCOL"] == "HTTP/2":
            return self._of_stream(environ)
        if size := _announced(environ):
            return self._whole(environ["wsgi.input"], size, _longest(environ))
        is_chunked = "HTTP_TRANSFER_ENCODING" in environ
        if not is_chunked:
            return _NONE
        # Other servers than granian tell where a chunked body ends: `api.body` reads it.
        return _HIDDEN if hides_broken_bodies(environ) else environ["wsgi.input"]

    def take(self, size: int) -> None:
        """Take room for so many bytes, or give it back (below 0). NoRoom: it is not there."""
        with self._lock:
            if size > self._room:
                raise NoRoom
            self._room -= size

    def _of_stream(self, environ: dict[str, Any]) -> Any:
        if not self._streams.acquire(blocking=False):
            raise NoRoom
        try:
            size, sent = _announced(environ), environ["wsgi.input"]
            if not size:
                return io.BytesIO(sent.read(1))
            return self._whole(sent, size, _longest(environ))
        finally:
            self._streams.release()

    def _whole(self, sent: Any, size: int, longest: int) -> Any:
        if size > SMALL and size > longest:
            return _TooLarge()
        body = io.BytesIO(sent.read(size)) if size <= SMALL else _Large(self, sent, size)
        if len(body.getbuffer()) == size:
            return body
        body.close()
        raise EndedEarly


class _Large(io.BytesIO):
    """A body that takes room as it arrives, piece by piece, and gives it back when it is closed."""

    def __init__(self, bodies: Bodies, sent: Any, size: int) -> None:
        super().__init__()
        self._bodies, self._taken = bodies, 0
        try:
            while piece := sent.read(min(SMALL, size - self._taken)):
                bodies.take(len(piece))
                self._taken += len(piece)
                self.write(piece)
        except NoRoom:
            self.close()
            raise
        self.seek(0)

    def close(self) -> None:
        """Give the room back, once."""
        taken, self._taken = self._taken, 0
        self._bodies.take(-taken)
        super().close()


def _announced(environ: dict[str, Any]) -> int:
    """The length of the body; 0: none, or one that is not a length."""
    text = environ.get("CONTENT_LENGTH", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _longest(environ: dict[str, Any]) -> int:
    """Bytes of the longest body that a view at this path takes: one of the API, or a page."""
    if not environ.get("PATH_INFO", "").startswith(PREFIXES):
        return app_settings.max_body_size
    return max(app_settings.max_body_size, settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0)
