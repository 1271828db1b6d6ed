"""The endpoint beside the purge that runs by itself: its p99 without and with it, and its memory.

Two servers take turns on one database: one never purges, the other purges all the time that it
runs. Rows are deleted slowly, so of many dead rows only some are gone at the end.
"""

import contextlib
import os
import statistics
import subprocess
import sys
import time

from . import goals, targets
from .load import drive
from .processes import ROOT

GRANTS = 10_000
FEW_MINUTES = "0.01"
"""As the time between two purges: the server begins at once, and again whenever one has ended."""


def measure(database, url, postmaster, folder, stack, options):
    """Milliseconds (p99) of each round, rows purged a second, and the private memory in MiB."""
    print(f"making {options.dead:,} dead rows", flush=True)
    targets.prepare(url, GRANTS, "", toolkit=False)
    before = int(_run(url, "add_dead", options.dead))
    quiet = targets.serve(url, PURGE_EVERY_MINUTES="0")
    stack.callback(quiet.stop)
    requests = targets.bearer_queries(options.requests, GRANTS)
    drive(quiet.port, requests, b'"OK"')
    rounds, memory, purged, seconds = [], [], 0, 0.0
    for number in range(options.rounds):
        without = drive(quiet.port, requests, b'"OK"')
        began = time.monotonic()
        purging = targets.serve(url, PURGE_EVERY_MINUTES=FEW_MINUTES)
        try:
            drive(purging.port, requests, b'"OK"')
            memory.append(round(purging.private_memory(), 1))
            beside = drive(purging.port, requests, b'"OK"')
            memory.append(round(purging.private_memory(), 1))
        finally:
            purging.stop()
        seconds += time.monotonic() - began
        left = int(_run(url, "count_dead"))
        purged, before = purged + before - left, left
        rounds.append((without.percentile(0.99), beside.percentile(0.99)))
        print(
            f"round {number + 1}: p99 {rounds[-1][0]:.2f} ms without, {rounds[-1][1]:.2f} with;"
            f" {purged:,} rows purged, {memory[-1]:.1f} MiB",
            flush=True,
        )
    return {
        "p99_ms": rounds,
        "mib": memory,
        "rows_a_second": round(purged / seconds),
        "ratios": {
            goals.P99_PURGE: round(statistics.median(beside / alone for alone, beside in rounds), 2)
        },
    }


def _run(url, *arguments):
    """What this module prints in a process of its own, which is configured for that database."""
    env = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": targets.SETTINGS}
    env["DATABASE_FOR"] = "commands"
    line = [sys.executable, "-m", "benchmarks.purging", *map(str, arguments)]
    done = subprocess.run(line, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


@contextlib.contextmanager
def _indexed_afterwards(table):
    """PostgreSQL makes the indexes of these rows at once: one by one, ten million take an hour.

    `ON CONFLICT` finds nothing meanwhile, which is right: each of these tokens is new.
    """
    from django.db import connection

    if connection.vendor != "postgresql":
        yield
        return
    ready = "UPDATE pg_index SET indisready = %s WHERE indrelid = %s::regclass"
    with connection.cursor() as cursor:
        cursor.execute(ready, [False, table])
        yield
        cursor.execute(ready, [True, table])
        cursor.execute(f"REINDEX TABLE {table}")
        cursor.execute(f"VACUUM ANALYZE {table}")


def main(name, number="0"):
    """`add_dead N`, or `count_dead`; prints how many dead rows there are."""
    import django

    django.setup()
    from django.utils import timezone

    from benchmarks.data import add_tokens
    from grant_management.models import AccessToken

    if name == "add_dead":
        with _indexed_afterwards(AccessToken._meta.db_table):
            for start in range(0, int(number), 1_000_000):
                count = min(1_000_000, int(number) - start)
                add_tokens(start // 1_000_000, count, expires_at="2026-01-01 00:00:00+00:00")
    print(AccessToken.objects.filter(expires_at__lte=timezone.now()).count())


if __name__ == "__main__":
    main(*sys.argv[1:])
