"""Writes the figures of the console's pages into docs/explanation/performance.md."""

import os
import time

from .. import goals
from ..processes import ROOT
from .pages import KINDS

DOCUMENT = ROOT / "docs" / "explanation" / "performance.md"
HEADING = "## The operators' pages\n"
NAMES = {goals.POSTGRESQL: "PostgreSQL", goals.SQLITE: "SQLite"}


def write(figures):
    """Write the section. `figures`: what `admin.measure` gave, by database. LookupError: the
    document lacks the heading.
    """
    text = DOCUMENT.read_text()
    before, there, after = text.partition(HEADING)
    if not there:
        raise LookupError(HEADING)
    _old, end, rest = after.partition("\n## ")
    DOCUMENT.write_text(f"{before}{HEADING}\n{section(figures)}{end}{rest}")


def section(figures):
    """The section's text, without its heading."""
    number = next(iter(figures.values()))["grants"]
    rows = "".join(_row(kind, pages, figures) for kind, pages in KINDS.items())
    heads = " | ".join(f"{name}: slowest | meet the goal" for name in NAMES.values())
    return (
        f"With {number:,} grants, as many events, and for each twenty grants a call, a delivery to"
        " a webhook, one to a stream and an event of the organization, in a process without a"
        " server (`run.py bench admin --write`). A figure is the median of nine rounds, in which"
        f" the pages take turns. {_load(figures)}\n\n"
        f"| pages | how many | {heads} |\n{'| --- ' * 6}|\n{rows}\n"
        "The goals are 50 ms on PostgreSQL, 100 ms on SQLite, and 200 ms for what is long:"
        f" {_met(figures)}\n\n"
        "*What is long* is a grant of 300 scopes, 200 KB of authorization details and 10,000"
        " tokens, of a client whose name has 200 characters, some of them from right to left. The"
        " pages are listed once, in `benchmarks/console/pages.py`: `tests/scale` explains every"
        " statement of each of them, and fails where a page of the console is not in that list, or"
        " looks at more than 12,100 rows of a large table. Five may look further, and"
        " `LOOK_FURTHER` in `tests/scale/test_console_plans.py` says why: organization events of a"
        " kind that there are none of, with their files, the report of a job, which counts its"
        " events, and a revoke by filter, which stops after 100,000 grants.\n"
    )


def _load(figures):
    loads = [one for run in figures.values() for one in run["load"]]
    return (
        f"The machine has {os.cpu_count()} cores, on which Python adds three million numbers in"
        f" {_pace():.2f} s, and the load average was {min(loads)} to {max(loads)} meanwhile."
    )


def _pace():
    """Seconds of the processor that a loop takes: what the figures of two machines differ by."""
    began, total = time.process_time(), 0
    for number in range(3_000_000):
        total += number
    return time.process_time() - began


def _row(kind, pages, figures):
    cells = [_cells(pages, database, figures[database]["pages"]) for database in NAMES]
    return f"| {kind} | {len(pages)} | {' | '.join(cells)} |\n"


def _cells(pages, database, measured):
    """The slowest of the pages, and how many meet their goal."""
    name = max(pages, key=lambda one: measured[one][0])
    slowest = f"{measured[name][0]:.0f} ms ({name.removeprefix('long: ')})"
    return f"{slowest} | {sum(_meets(database, one, measured) for one in pages)}"


def _met(figures):
    """How many of all pages meet their goal."""
    found = [
        f"{sum(_meets(database, one, run['pages']) for one in run['pages'])} of"
        f" {len(run['pages'])} pages meet it on {NAMES[database]}"
        for database, run in figures.items()
    ]
    return f"{', '.join(found)}."


def _meets(database, name, measured):
    return measured[name][0] <= _goal(database, name)


def _goal(database, name):
    measure = goals.LONG if name.startswith("long: ") else goals.ADMIN
    return goals.GOALS[database][measure].reach
