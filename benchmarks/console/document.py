"""Writes the figures of the console's pages into docs/explanation/performance.md."""

import os

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
    heads = " | ".join(f"{name}: slowest" for name in NAMES.values())
    return (
        f"With {number:,} grants, as many events, and for each twenty grants a call, a delivery to"
        " a webhook, one to a stream and an event of the organization, in a process without a"
        " server (`run.py bench admin --write`). A figure is the median of nine rounds, in which"
        f" the pages take turns. {_load(figures)}\n\n"
        f"| pages | how many | {heads} |\n| --- | --- | --- | --- |\n{rows}\n"
        f"{_over(figures)}\n\n"
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
        f"The machine has {os.cpu_count()} cores, and the load average was {min(loads)} to"
        f" {max(loads)} meanwhile."
    )


def _row(kind, pages, figures):
    slowest = [_slowest(pages, figures[database]["pages"]) for database in NAMES]
    return f"| {kind} | {len(pages)} | {' | '.join(slowest)} |\n"


def _slowest(pages, measured):
    name = max(pages, key=lambda one: measured[one][0])
    return f"{measured[name][0]:.0f} ms ({name.removeprefix('long: ')})"


def _over(figures):
    """What misses its goal."""
    found = [
        f"{name} ({measured[0]:.0f} ms on {NAMES[database]})"
        for database, run in figures.items()
        for name, measured in run["pages"].items()
        if measured[0] > _goal(database, name)
    ]
    goal = "The goals are 50 ms on PostgreSQL, 100 ms on SQLite, and 200 ms for what is long. "
    return goal + (f"Missed by: {', '.join(found)}." if found else "Every page meets its goal.")


def _goal(database, name):
    measure = goals.LONG if name.startswith("long: ") else goals.ADMIN
    return goals.GOALS[database][measure].reach
