"""The server of the standalone project: granian, with as many workers as make sense.

Called by `run.py serve` as `python -m gm_project.serving HOST PORT WORKERS [APPLICATION]
[--migrate]`. With 0 workers their number depends on the machine and the database.
"""

import argparse
import contextlib
import importlib
import os
import signal
import socket
import sys
from functools import partial
from typing import Any, Final

from granian._granian import SocketHolder
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.common import AbstractServer

from gm_project import settings
from gm_project.logs import OF_GRANIAN
from gm_project.options import worker_count
from gm_project.serving import exporting, tcp
from gm_project.serving.children import call, end_at_interrupts
from gm_project.serving.listening import QUEUE, CannotListen, is_loopback, listen
from gm_project.serving.metrics import shared_folder
from gm_project.serving.supervision import Limits, SupervisedServer
from gm_project.serving.worker import load

_ARE_COUNTED = bool(settings.METRICS_PORT or settings.METRICS_TOKEN)
SQLITE = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
THREADS: Final = 512
"""Threads of a worker at the most. They start when they are needed, and end when they are not; few
of them work (`gm_project.serving.slots`), the others wait for their clients.
"""
CONNECTIONS: Final = 1_024
"""Connections of a worker at the most: more wait in the kernel's queue."""
FILES: Final = 4_096
"""Open files of a process, where the system allows: without a free one, granian accepts in vain."""
DEADLINE: Final = 20
"""Seconds after which a silent connection is closed, unless `CONNECTION_SECONDS` says otherwise."""
try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

APPLICATION = "gm_project.wsgi:application"


def command(host: str, port: int, workers: int = 0, application: str = APPLICATION) -> list[str]:
    """The command line of a server; `workers` 0: by the machine and the database."""
    arguments = [host, str(port), str(workers), application]
    return [sys.executable, "-m", "gm_project.serving", *arguments]


class _Server(SupervisedServer):
    """Workers share a socket that was opened here.

    granian would let each worker open its own, with SO_REUSEPORT, and then any other server could
    join them.
    """

    def __init__(self, listener: socket.socket, application: str, **options: Any) -> None:
        self.listener = listener
        super().__init__(application, **options)

    def _init_shared_socket(self) -> None:
        self._sso, self._sfd, self._ssp = self.listener, self.listener.fileno(), None
        self._shd = SocketHolder(self._sfd, False, self.backlog)  # type: ignore[call-arg]

    def signal_handler_interrupt(self, number: int, *args: Any) -> None:
        """End the server; in a forked worker, end that worker.

        A worker inherits this handler until it sets its own. granian's would only set a flag there;
        and it sets an event, whose lock the interrupted code may hold: it would wait for ever. The
        loop looks at the flag soon enough.
        """
        if os.getpid() == self.pid:
            self.interrupt_signal = True
        elif number == signal.SIGTERM:
            os._exit(0)

    def signal_handler_reload(self, *args: Any) -> None:
        """Replace the workers, one by one. See `signal_handler_interrupt` for the event."""
        self.reload_signal = True


def serve(
    listener: socket.socket,
    workers: int,
    application: str = APPLICATION,
    limits: Limits | None = None,
    metrics: socket.socket | None = None,
) -> None:
    """Serve until told to stop. `metrics`: where Prometheus asks for them.

    The application is loaded here, before the workers are made: where the system can fork, they
    share the memory that they do not change.
    """
    load(application)
    deadline = _whole_number("CONNECTION_SECONDS") or DEADLINE
    host, port = listener.getsockname()[:2]
    server = _Server(
        listener,
        application,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=THREADS,
        backlog=QUEUE,
        backpressure=CONNECTIONS,
        log_access=False,
        log_level=LogLevels.warning,
        log_dictconfig=OF_GRANIAN,
        http1_settings=HTTP1Settings(header_read_timeout=1_000 * deadline),
    )
    server.deadline = deadline
    server.limits = limits or Limits()
    server.drains_for = _whole_number("DRAIN_SECONDS")
    # Not granian's own `serve` for processes: it warns of many threads, most of which wait here.
    AbstractServer.serve(server, target_loader=partial(_load_in_worker, metrics=metrics))


def _load_in_worker(application: str, metrics: socket.socket | None = None) -> Any:
    loaded = load(application)
    if application == APPLICATION:  # which has set up Django
        importlib.import_module("gm_project.purging").start()
        importlib.import_module("gm_project.delivering").start()
        if _ARE_COUNTED:
            importlib.import_module("gm_project.serving.metrics").start(metrics)
        if settings.TRACED:
            exporting.start()
    return loaded


def _allow_files() -> None:
    """Raise the limit of open files to `FILES`, as far as this user may."""
    if resource is not None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            with contextlib.suppress(OSError):  # a sandbox forbids it
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def default_workers() -> int:
    """One for each core that this process may use; one on SQLite, which has one writer at a time,
    so that more workers would only wait for each other.
    """
    return 1 if SQLITE else _cores()


def _cores() -> int:
    """The cores that this process may use, where the system tells; else all of them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def main() -> None:
    """Check the options, migrate where asked to, and serve; exit with a message otherwise."""
    end_at_interrupts()
    options = _parser().parse_args()
    if settings.DEBUG and not is_loopback(options.host):
        sys.exit(
            f"DEBUG shows code and settings to everybody who reaches {options.host}: unset it, or"
            " serve on 127.0.0.1."
        )
    try:
        if options.migrate:
            listen(options.host, options.port).close()  # fail before the database is touched
            _migrate()
        listener = listen(options.host, options.port)
        metrics = listen("127.0.0.1", settings.METRICS_PORT) if settings.METRICS_PORT else None
    except CannotListen as error:
        sys.exit(str(error))
    workers = options.workers or default_workers()
    _say(listener, workers)
    _allow_files()
    limits = Limits(_whole_number("WORKER_MAX_REQUESTS"), _whole_number("WORKER_MAX_MIB"))
    with shared_folder(wanted=_ARE_COUNTED):
        serve(listener, workers, options.application, limits, metrics)


def _whole_number(name: str) -> int:
    """A variable of the environment; 0 where it is not set."""
    text = os.environ.get(name) or "0"
    if not (text.isascii() and text.isdigit()):
        sys.exit(f"{name} must be a whole number: 0, or none, for no limit.")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gm_project.serving")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("workers", type=worker_count)
    parser.add_argument("application", nargs="?", default=APPLICATION)
    parser.add_argument("--migrate", action="store_true", help="migrate the database first")
    return parser


def _migrate() -> None:
    """Migrate in a process of its own, so that the workers do not inherit what `migrate` loads."""
    for alias in settings.DATABASES:
        if alias == "replica":
            continue
        line = [sys.executable, "manage.py", "migrate", "-v", "0", "--database", alias]
        code = call(line, cwd=settings.BASE_DIR)
        if code and alias == "default":
            sys.exit(code)
        if code:  # one that is away stops its own services alone
            print(f"The database {alias} was not migrated.", file=sys.stderr, flush=True)  # noqa: T201


def _say(listener: socket.socket, workers: int) -> None:
    host, port = listener.getsockname()[:2]
    address = f"[{host}]" if ":" in host else host
    database = "SQLite" if SQLITE else "PostgreSQL"
    print(  # noqa: T201
        f"Serving http://{address}:{port}/ on {database}, with {workers} worker(s)"
        f" of {settings.CALLS_AT_ONCE} calls at once. Stop it with Ctrl+C.",
        flush=True,
    )
    if not tcp.are_known(listener):
        print(  # noqa: T201
            "This system cannot tell which clients stall: put a proxy in front that buffers.",
            flush=True,
        )
