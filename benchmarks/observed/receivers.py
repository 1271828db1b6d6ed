"""What spans and events are sent to: servers that take everything, in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any


class _Accepted:
    """The answers of the receiver: 202 each time, which is a delivery of a SET too."""

    def __bool__(self) -> bool:
        return True

    def pop(self, _index: int) -> int:
        return 202


class _None:
    """What came in, which nobody looks at."""

    def append(self, _one: Any) -> None:
        pass


@contextmanager
def receiver(folder: Path) -> Iterator[Any]:
    """An HTTPS server for webhooks and SETs."""
    from tests.receiver import receiving

    with receiving(folder) as one:
        one.answers, one.came = _Accepted(), _None()
        yield one


@contextmanager
def collector() -> Iterator[str]:
    """The address of a collector that takes spans, and does nothing with them."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
