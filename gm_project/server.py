"""The server of the standalone project: granian, with as many workers as make sense.

Called by `run.py serve` as `python -m gm_project.server HOST PORT WORKERS [APPLICATION]`; 0
workers: by the machine and the database.
"""

import importlib
import os
import sys

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from gm_project import settings

SQLITE = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
THREADS = 1 if SQLITE else 4
"""Of a worker. SQLite answers at once, PostgreSQL is waited for."""
APPLICATION = "gm_project.wsgi:application"


def command(host: str, port: int, workers: int = 0, application: str = APPLICATION) -> list[str]:
    """The command line of a server."""
    arguments = [host, str(port), str(workers), application]
    return [sys.executable, "-m", "gm_project.server", *arguments]


def serve(host: str, port: int, workers: int, application: str = APPLICATION) -> None:
    """Until it is told to stop.

    The application is loaded here, before the workers are made: where the system can fork, they
    share what they do not change.
    """
    importlib.import_module(application.partition(":")[0])
    Server(
        application,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=THREADS,
        log_access=False,
        log_level=LogLevels.warning,
    ).serve()


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


def main(host: str, port: str, asked: str, application: str = APPLICATION) -> None:
    """Says what it chose, and serves."""
    workers = int(asked) or default_workers()
    database = "SQLite" if SQLITE else "PostgreSQL"
    print(  # noqa: T201
        f"Serving http://{host}:{port}/ on {database}, with {workers} worker(s)"
        f" of {THREADS} thread(s). Stop it with Ctrl+C.",
        flush=True,
    )
    serve(host, int(port), workers, application)


if __name__ == "__main__":
    main(*sys.argv[1:])
