"""A process that answers calls as a worker does, and delivers events: one question a line."""

import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "gm_project.settings"


def main(listens: list[str]) -> None:
    """Set the database up, then answer questions until there are no more."""
    answer = _application()
    from . import behind, setup

    setup.set_up(listens)

    def timed(kind: str, number: int, count: int) -> float:
        from . import requests

        made = requests.of(kind, number, count)
        expected = requests.KINDS[kind].expected
        return measured(lambda: [answer(one, expected) for one in made])["us"] / count

    doors: dict[str, Callable[..., Any]] = {
        "time": timed,
        "work_off": lambda: behind.work_off(measured),
    }
    for line in sys.stdin:
        asked, *arguments = json.loads(line)
        print(json.dumps(doors[asked](*arguments)), flush=True)


def measured(work: Callable[[], Any]) -> dict[str, Any]:
    """What it returns (`done`), microseconds of CPU here and in the backend, and seconds."""
    backend = _backend()
    began, of_backend, started = time.process_time(), _cpu_of(backend), time.monotonic()
    done = work()
    own, seconds = time.process_time() - began, time.monotonic() - started
    return {
        "done": done,
        "us": own * 1e6 + (_cpu_of(backend) - of_backend),
        "seconds": seconds,
    }


def _backend() -> int:
    """The process ID of the database's backend; 0: it has none."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def _cpu_of(pid: int) -> float:
    """Microseconds of a process so far; its ticks would be too coarse."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1_000 if pid else 0


def _application() -> Callable[[bytes, bytes], None]:
    """Answers a request in this process, which observes as a worker of the server does."""
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
    from django.conf import settings

    if settings.METRICS_PORT:
        from gm_project.serving import metrics

        metrics.start(None)
    if settings.TRACED:
        from gm_project.serving import exporting

        exporting.start()
    settings.ALLOWED_HOSTS = ["127.0.0.1"]

    def answer(request: bytes, expected: bytes) -> None:
        said = b"".join(_said(application, request))
        assert expected in said, said

    return answer


def _said(application: Any, request: bytes) -> Iterable[bytes]:
    response = application(_environ(request), lambda *_: None)
    yield from response
    response.close()


def _environ(request: bytes) -> dict[str, Any]:
    from .. import targets

    body = targets.body_of(request).encode()
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": request.split(b" ", 2)[1].decode(),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_AUTHORIZATION": f"Bearer {targets.API_TOKEN}",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
    }


if __name__ == "__main__":
    main(sys.argv[1:])
