"""The server of the standalone project: granian, with as many workers as make sense.

Called by `run.py serve` as `python -m gm_project.server HOST PORT WORKERS`; 0 workers: by the
machine and the database.
"""

import os
import sys

from gm_project import settings

SQLITE = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
THREADS = 1 if SQLITE else 4
"""Of a worker. SQLite answers at once, PostgreSQL is waited for."""


def options(workers: int, threads: int = THREADS) -> list[str]:
    """Those of granian that do not depend on where it listens."""
    return [
        *("--interface", "wsgi", "--workers", str(workers), "--blocking-threads", str(threads)),
        *("--no-access-log", "--log-level", "warning"),
    ]


def command(host: str, port: int, workers: int = 0) -> list[str]:
    """The command line of granian."""
    listen = ("--host", host, "--port", str(port))
    count = workers or default_workers()
    return [
        *(sys.executable, "-m", "granian", *options(count), *listen),
        "gm_project.wsgi:application",
    ]


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


if __name__ == "__main__":
    host, port, asked = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    database = "SQLite" if SQLITE else "PostgreSQL"
    print(  # noqa: T201
        f"Serving http://{host}:{port}/ on {database}, with {asked or default_workers()} worker(s)"
        f" of {THREADS} thread(s). Stop it with Ctrl+C.",
        flush=True,
    )
    os.execv(sys.executable, command(host, port, asked))  # noqa: S606 - its own interpreter
