"""The server of the standalone project: granian, with as many workers as make sense.

Called by `run.py serve` as `python -m gm_project.server HOST PORT WORKERS [APPLICATION]
[--migrate]`; 0 workers: by the machine and the database.
"""

import argparse
import importlib
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import Any, Final

from granian._granian import SocketHolder
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from gm_project import settings
from gm_project.listening import CannotListen, is_loopback, listen

SQLITE = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
THREADS = 2 if SQLITE else 4
"""Of a worker. SQLite answers at once, PostgreSQL is waited for; and while one thread sends an
export to somebody who reads slowly, another answers the API.
"""
APPLICATION = "gm_project.wsgi:application"
GRACE: Final = 10
"""Seconds that a worker has for the calls in hand, once it is told to end."""


def command(host: str, port: int, workers: int = 0, application: str = APPLICATION) -> list[str]:
    """The command line of a server."""
    arguments = [host, str(port), str(workers), application]
    return [sys.executable, "-m", "gm_project.server", *arguments]


class _Server(Server):  # type: ignore[misc,valid-type] # it is another class on each system
    """Workers share a socket that was opened here; granian would let each open its own, with
    SO_REUSEPORT, and then any other server can join them.
    """

    def __init__(self, listener: socket.socket, application: str, **options: Any) -> None:
        self._listener = listener
        super().__init__(application, **options)

    def _init_shared_socket(self) -> None:
        self._sso, self._sfd, self._ssp = self._listener, self._listener.fileno(), None
        self._shd = SocketHolder(self._sfd, False, self.backlog)  # type: ignore[call-arg]

    def signal_handler_interrupt(self, number: int, *args: Any) -> None:
        """A forked worker has this one too until it has its own, and would only make a note."""
        if os.getpid() == self.pid:
            super().signal_handler_interrupt(number, *args)
        elif number == signal.SIGTERM:
            os._exit(0)

    def _stop_workers(self) -> None:
        """Not by `workers_kill_timeout`: granian takes a worker that has just ended for stuck."""
        limit = threading.Timer(GRACE, self._kill_workers)
        limit.start()
        super()._stop_workers()
        limit.cancel()

    def _kill_workers(self) -> None:
        print(f"Ending calls that took more than {GRACE} seconds.", file=sys.stderr)  # noqa: T201
        for worker in self.wrks:
            worker.kill()


def serve(listener: socket.socket, workers: int, application: str = APPLICATION) -> None:
    """Until it is told to stop.

    The application is loaded here, before the workers are made: where the system can fork, they
    share what they do not change.
    """
    _load(application)
    host, port = listener.getsockname()[:2]
    _Server(
        listener,
        application,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=THREADS,
        log_access=False,
        log_level=LogLevels.warning,
    ).serve(target_loader=_load_in_worker)


def _load(application: str) -> Any:
    module, _, name = application.partition(":")
    return getattr(importlib.import_module(module), name)


def _load_in_worker(application: str) -> Any:
    """Ctrl+C reaches every process of a terminal; here the first one alone hears it, and ends the
    others: to it, a worker that ended by itself would be an error.
    """
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, daemon=True).start()
    return _load(application)


def _end_with_parent() -> None:
    """A worker without the process that started it has nobody to stop or replace it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE)
        os._exit(1)


def default_workers() -> int:
    """One for each core that this process may use; on SQLite one, since it has one writer at a
    time: more would only wait for each other.
    """
    return 1 if SQLITE else _cores()


def _cores() -> int:
    """Where the system can say it, those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def main() -> None:
    """Refuses, or says what it chose and serves."""
    options = _parser().parse_args()
    if settings.DEBUG and not is_loopback(options.host):
        sys.exit(
            f"DEBUG shows code and settings to everybody who reaches {options.host}: unset it, or"
            " serve on 127.0.0.1."
        )
    try:
        if options.migrate:
            listen(options.host, options.port).close()  # before the database is touched
            _migrate()
        listener = listen(options.host, options.port)
    except CannotListen as error:
        sys.exit(str(error))
    workers = options.workers or default_workers()
    _say(listener, workers)
    serve(listener, workers, options.application)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gm_project.server")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("workers", type=int)
    parser.add_argument("application", nargs="?", default=APPLICATION)
    parser.add_argument("--migrate", action="store_true", help="migrate the database first")
    return parser


def _migrate() -> None:
    """In a process of its own: what it loads, the workers never need."""
    line = [sys.executable, "manage.py", "migrate", "-v", "0"]
    code = subprocess.call(line, cwd=settings.BASE_DIR)  # noqa: S603 - our own command line
    if code:
        sys.exit(code)


def _say(listener: socket.socket, workers: int) -> None:
    host, port = listener.getsockname()[:2]
    address = f"[{host}]" if ":" in host else host
    database = "SQLite" if SQLITE else "PostgreSQL"
    print(  # noqa: T201
        f"Serving http://{address}:{port}/ on {database}, with {workers} worker(s)"
        f" of {THREADS} thread(s). Stop it with Ctrl+C.",
        flush=True,
    )


if __name__ == "__main__":
    main()
