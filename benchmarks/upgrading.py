"""How long a migration takes with many grants, and how long writers wait meanwhile, on PostgreSQL:
`python -m benchmarks.upgrading --grants 1000000`.

`--kill-after 20 60` ends `migrate` by SIGKILL after 20 seconds, that of the second run after 60
seconds, and then runs it to its end.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from . import databases, goals
from .data import FIRST_SERVICE, Size
from .processes import ROOT

APP = "grant_management"
BEFORE = "0001_squashed"
"""What the database is at before: the tables have the columns of now, which fill them."""
WRITERS = 2
ALONE = 10.0
"""Seconds of writing without a migration."""
COPIES = {"accesstoken": ("id", "digest"), "grantevent": ("id",)}
"""What a write adds: a copy of a row of these tables, with other values in these columns."""
ANEW = {"id": "gen_random_uuid()", "digest": "sha256(gen_random_uuid()::text::bytea)"}


class Writers:
    """Threads that change a grant, add a token and an event, and note how long each commit took."""

    def __init__(self, url, grants):
        self.url, self.grants, self.seconds, self.is_over = url, grants, [], False
        self._threads = [threading.Thread(target=self._write, args=(n,)) for n in range(WRITERS)]

    def __enter__(self):
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, *error):
        self.is_over = True
        for one in self._threads:
            one.join()

    def _write(self, number):
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            statements = [_update(), *(_copy(connection, name) for name in COPIES)]
            while not self.is_over:
                number = (number * 48_271 + 1) % self.grants
                began = time.monotonic()
                with connection.transaction():
                    for sql in statements:
                        connection.execute(sql, {"s": FIRST_SERVICE, "g": f"g-{number:010}"})
                self.seconds.append(time.monotonic() - began)

    def said(self):
        """The number of writes, their 99th percentile, and the longest."""
        found = sorted(self.seconds)
        p99 = found[int(len(found) * 0.99)]
        return (
            f"{len(found):,} writes, p99 {p99 * 1_000:.0f} ms, longest {found[-1] * 1_000:.0f} ms"
        )


def _update():
    its_row = "service_id = %(s)s AND grant_id = %(g)s"
    return f"UPDATE {APP}_grant SET last_updated_at = now() WHERE {its_row}"


def _copy(connection, name):
    new, table = COPIES[name], f"{APP}_{name}"
    found = connection.execute(f"SELECT * FROM {table} LIMIT 0").description
    columns = [one.name for one in found]
    values = [ANEW[one] if one in new else f"old.{one}" for one in columns]
    grant = f"SELECT id FROM {APP}_grant WHERE service_id = %(s)s AND grant_id = %(g)s"
    its_row = f"({grant})" if name == "accesstoken" else "%(g)s"
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {table} AS old"
        f" WHERE old.service_id = %(s)s AND old.grant_id = {its_row} LIMIT 1"
    )


def migrate(env, *arguments, kill_after=None):
    """Seconds until it ended, or was killed."""
    began = time.monotonic()
    line = [sys.executable, "manage.py", "migrate", "-v", "0", *arguments]
    with subprocess.Popen(line, cwd=ROOT, env=env) as process:
        try:
            process.wait(kill_after)
        except subprocess.TimeoutExpired:
            process.kill()
    if kill_after is None and process.returncode:
        raise SystemExit("migrate failed")
    return time.monotonic() - began


def measure(url, options):
    """Print what the writers saw without the migration, and beside it."""
    env = {**os.environ, "DATABASE_URL": url, "DATABASE_FOR": "commands"}
    env["DJANGO_SETTINGS_MODULE"] = "gm_project.settings"
    migrate(env, APP, BEFORE)
    line = [sys.executable, "-m", "benchmarks.upgrading", "--fill", str(options.grants)]
    subprocess.run(line, cwd=ROOT, env=env, check=True)
    with Writers(url, options.grants) as alone:
        time.sleep(ALONE)
    print(f"without a migration: {alone.said()}", flush=True)
    with Writers(url, options.grants) as beside:
        runs = [migrate(env, kill_after=seconds) for seconds in [*options.kill_after, None]]
    print(f"{options.grants:,} grants: {', '.join(f'{one:.1f} s' for one in runs)}", flush=True)
    print(f"beside it: {beside.said()}", flush=True)


def main():
    """Make a database as it is before, fill it, and migrate it."""
    parser = argparse.ArgumentParser(prog="benchmarks.upgrading", description=__doc__)
    parser.add_argument("--grants", type=int, default=1_000_000)
    parser.add_argument("--kill-after", type=float, nargs="*", default=[], metavar="SECONDS")
    parser.add_argument("--fill", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fill:
        from .data import _set_up, fill

        _set_up()
        fill(Size(options.fill))
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gm-bench-")))
        url, _postmaster = databases.start(goals.POSTGRESQL, folder, stack)
        measure(url, options)


if __name__ == "__main__":
    main()
