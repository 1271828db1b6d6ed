"""`run.py bench`: what the endpoint costs, as ratios within this run, beside the goals.

A benchmark only reports: the exit code is 0, whatever the figures are.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

from . import (
    admin,
    counts,
    databases,
    endpoint,
    footprint,
    goals,
    growth,
    imports,
    memory,
    observed,
    purging,
    store,
)
from .console import document
from .processes import CORES, LOAD_CORE

PARTS = {
    "endpoint": "requests a second against peers and floors",
    "store": "tokens created and refreshed, grants merged",
    "counts": "statements and reference cycles of a request",
    "memory": "a worker after many requests",
    "observed": "what it costs to watch and to tell, and how fast events are delivered",
    "growth": "few grants and many; one token and 100,000",
    "purge": "p99 beside the purge that runs by itself",
    "import": "rows a second, and memory",
    "footprint": "bytes of a row; CPU, write-ahead log and rows of a call",
    "admin": "milliseconds of the operators' pages",
}


BOTH = (goals.POSTGRESQL, goals.SQLITE)
WRITTEN = {"admin", "observed"}
"""The parts that have a section in the document."""
SIZING = "sizing"
"""No part, since it measures nothing: the arithmetic of docs/explanation/sizing.md."""


def main():
    """Run each part on each database, in a database of its own."""
    if sys.argv[1:2] == [SIZING]:
        from .capacity.__main__ import main as sizing

        return sizing(sys.argv[2:])
    options = _options()
    os.sched_setaffinity(0, {LOAD_CORE})
    figures = {"machine": _machine(), "options": {**vars(options), "json": None}}
    for database in options.db or BOTH:
        measures = {}
        for part in options.parts or _usual(database):
            print(f"\n== {part} on {database}: {PARTS[part]} ==", flush=True)
            with ExitStack() as stack:
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="gm-bench-"))
                url, postmaster = databases.start(database, folder, stack)
                run = _RUNS[part](database, url, postmaster, Path(folder), stack, options)
            figures.setdefault(database, {})[part] = run
            measures |= run["ratios"]
        goals.show(database, measures)
    if options.write:
        for part in WRITTEN & set(options.parts):
            _write(part, {name: figures[name][part] for name in BOTH})
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


def _options():
    parser = argparse.ArgumentParser(prog="run.py bench", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"of: {', '.join(PARTS)}; or {SIZING} alone"
    )
    parser.add_argument("--db", choices=[goals.POSTGRESQL, goals.SQLITE], action="append")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=2_000, help="of a target in a round")
    parser.add_argument("--grants", type=int, default=100_000, help="that there are")
    parser.add_argument("--only", nargs="*", help="of the endpoint's targets")
    parser.add_argument("--many", type=int, default=1_000_000, help="grants, for growth and admin")
    parser.add_argument("--largest", metavar="GRANTS=URL", help="one more, filled up")
    parser.add_argument("--dead", type=int, default=1_000_000, help="rows, for purge")
    parser.add_argument("--imported", type=int, default=1_000_000, help="with 2 tokens each")
    parser.add_argument("--json", type=Path, help="where to write all figures")
    parser.add_argument(
        "--write",
        action="store_true",
        help="of admin and observed: docs/explanation/performance.md",
    )
    options = parser.parse_args()
    if unknown := set(options.parts) - PARTS.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    if options.write and (options.db or not WRITTEN & set(options.parts)):
        parser.error("--write takes admin, observed or both, on both databases")
    return options


def _write(part, figures):
    {"admin": document.write, "observed": observed.document.write}[part](figures)


def _usual(database):
    """The parts that have goals on this database."""
    without = {"footprint"} if database == goals.POSTGRESQL else {"footprint", "import"}
    return [part for part in PARTS if part not in without]


_RUNS = {
    "endpoint": endpoint.measure,
    "store": store.measure,
    "counts": counts.measure,
    "memory": memory.measure,
    "observed": observed.measure,
    "growth": growth.measure,
    "purge": purging.measure,
    "import": imports.measure,
    "footprint": footprint.measure,
    "admin": admin.measure,
}


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
