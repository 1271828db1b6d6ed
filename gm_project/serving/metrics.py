"""Metrics for Prometheus: on a port of this machine alone, or at `/metrics` behind a token.

Any worker answers for all of them: they count in files of one folder, which the main process makes
and removes. The port's socket is opened before the workers are made; each has a thread that accepts
on it.
"""

import contextlib
import hmac
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

PATH: Final = "/metrics"
FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
PREFIX: Final = "grant-management-metrics-"
PATIENCE: Final = 5.0
"""Seconds that whoever asks at the port has to send its request, and to take the answer."""


@contextlib.contextmanager
def shared_folder(*, wanted: bool) -> Iterator[None]:
    """In this context processes count together, in a private folder that ends with it.

    A folder that `PROMETHEUS_MULTIPROC_DIR` names is used as it is, and stays.
    """
    if not wanted or os.environ.get(FOLDER):
        yield
        return
    folder = os.environ[FOLDER] = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")
    _remove_leftovers(Path(folder).parent)
    try:
        yield
    finally:
        del os.environ[FOLDER]
        shutil.rmtree(folder, ignore_errors=True)


def _remove_leftovers(within: Path) -> None:
    """Remove the folders of servers that were killed, which could not do it themselves."""
    if os.name != "posix":
        return
    for folder in within.glob(f"{PREFIX}*"):
        number = folder.name.removeprefix(PREFIX).partition("-")[0]
        with contextlib.suppress(OSError):
            if number.isdigit() and folder.stat().st_uid == os.getuid() and not _is_used(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_used(folder: Path) -> bool:
    """Whether its server runs: its number is in the name. In another container with the same folder
    for temporary files that number says nothing, but workers hold their locks there too.
    """
    from grant_management.metrics import processes

    number = folder.name.removeprefix(PREFIX).partition("-")[0]
    try:
        os.kill(int(number), 0)
    except (ProcessLookupError, OverflowError):
        return processes.workers(folder) > 0
    except PermissionError:
        pass
    return True


def start(listening: socket.socket | None) -> None:
    """In a worker: count as one, and answer at the port, if there is one."""
    from grant_management.metrics import counters, processes

    processes.become_worker()
    counters.STARTS.inc()
    if listening is not None:
        server = _Server(listening)
        ask_seldom = (3_600.0,)  # it looks that often whether it shall end, and never does
        threading.Thread(target=server.serve_forever, args=ask_seldom, daemon=True).start()


def behind(token: str, application: "WSGIApplication") -> "WSGIApplication":
    """The WSGI application with `/metrics` in front, for whoever sends the token as Bearer."""
    expected = f"Bearer {token}".encode()

    def respond(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH:
            return application(environ, start_response)
        sent = environ.get("HTTP_AUTHORIZATION", "").encode("latin-1", "replace")
        if not hmac.compare_digest(sent, expected):
            start_response("401 Unauthorized", [("WWW-Authenticate", "Bearer"), *_EMPTY])
            return []
        return _answer(environ, start_response)

    return respond


_EMPTY: Final = [("Content-Length", "0"), ("Cache-Control", "no-store")]


def _answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """The metrics; 404 at other paths, 405 for other methods than GET."""
    from grant_management.metrics.exposition import CONTENT_TYPE, exposition

    if environ.get("PATH_INFO") != PATH:
        start_response("404 Not Found", _EMPTY)
        return []
    if environ["REQUEST_METHOD"] != "GET":
        start_response("405 Method Not Allowed", [("Allow", "GET"), *_EMPTY])
        return []
    body = exposition()
    headers = [("Content-Type", CONTENT_TYPE), ("Content-Length", str(len(body)))]
    start_response("200 OK", [*headers, ("Cache-Control", "no-store")])
    return [body]


class _Handler(WSGIRequestHandler):
    timeout = PATIENCE

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Nothing: a line would have the path."""


class _Server(WSGIServer):
    """On a socket that was opened before."""

    def __init__(self, listening: socket.socket) -> None:
        super().__init__(listening.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.setup_environ()
        self.set_app(_answer)

    def setup_environ(self) -> None:
        """The variables that are the same in each request."""
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        super().setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: whoever asked hung up, and asks again."""
