"""The server of the standalone project: granian, with as many workers as make sense.

Called by `run.py serve` as `python -m gm_project.server HOST PORT WORKERS`; 0 workers: by the
machine and the database.
"""

import os
import sys

from gm_project import settings

SQLITE = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")


def command(host: str, port: int, workers: int = 0) -> list[str]:
    """The command line of granian."""
    # SQLite has one writer at a time: more processes would only wait for each other.
    count = workers or (1 if SQLITE else os.cpu_count() or 1)
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi"),
        *("--host", host, "--port", str(port), "--workers", str(count)),
        *("--blocking-threads", "1" if SQLITE else "4"),
        *("--no-access-log", "--log-level", "warning"),
        "gm_project.wsgi:application",
    ]


if __name__ == "__main__":
    arguments = command(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    database = "SQLite" if SQLITE else "PostgreSQL"
    print(f"Serving http://{sys.argv[1]}:{sys.argv[2]}/ on {database}. Stop it with Ctrl+C.")  # noqa: T201
    sys.stdout.flush()
    os.execv(sys.executable, arguments)  # noqa: S606 - its own interpreter
