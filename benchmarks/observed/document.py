"""Writes a section of docs/explanation/performance.md: `section.md` with the figures of a run."""

import re
from pathlib import Path
from string import Template
from typing import Any, Final

from ..goals import POSTGRESQL, SQLITE
from ..processes import ROOT
from .requests import KINDS

DOCUMENT: Final = ROOT / "docs" / "explanation" / "performance.md"
SECTION: Final = Template((Path(__file__).parent / "section.md").read_text())
OLD: Final = re.compile(r"## What it costs to watch it\n.*?(?=\n## )", re.DOTALL)
DATABASES: Final = (SQLITE, POSTGRESQL)
STEPS: Final = {
    "numbered": "numbered, and deliveries planned",
    "linked": "linked to the chain",
    "webhooks": "delivered to a webhook",
    "pushes": "pushed to a stream",
}
ALL: Final = "all on"


def write(figures: dict[str, Any]) -> None:
    """Write the section in place of the last one. `figures`: what was measured, by database."""
    section = rendered(figures)
    DOCUMENT.write_text(OLD.sub(lambda _found: section, DOCUMENT.read_text()))


def rendered(runs: dict[str, Any]) -> str:
    """The section with the figures of these runs, by database."""
    one = runs[SQLITE]
    load = " / ".join(f"{runs[database]['load']:.1f}" for database in DATABASES)
    return SECTION.substitute(
        calls=calls(runs),
        behind=behind(runs),
        rounds=one["rounds"],
        each=one["each"],
        load=load,
    )


def calls(runs: dict[str, Any]) -> str:
    """What each variant costs each kind of call."""
    rows = []
    for name in runs[SQLITE]["calls"]:
        of = {database: runs[database]["calls"][name] for database in DATABASES}
        cells = [" / ".join(_cost(of[database][kind]) for database in DATABASES) for kind in KINDS]
        rows.append([name, *cells])
    return _table(["on, SQLite / PostgreSQL", *KINDS], rows)


def _cost(one: dict[str, float]) -> str:
    """The ratio; of what all ratios are to, the microseconds."""
    return f"{one['us']:,.0f} µs" if one["ratio"] == 1 else f"{one['ratio']:.2f}"


def behind(runs: dict[str, Any]) -> str:
    """What is done behind the calls, alone and with all on."""
    rows = []
    for step, said in STEPS.items():
        alone = [_done(runs[database]["behind"], step, is_alone=True) for database in DATABASES]
        beside = [_done(runs[database]["behind"], step, is_alone=False) for database in DATABASES]
        rows.append([said, *alone, *beside])
    heads = [f"{name}, {how}" for how in ("alone", ALL) for name in DATABASES]
    return _table(["an event is", *heads], rows)


def _done(variants: dict[str, Any], step: str, *, is_alone: bool) -> str:
    """By the first variant that has the step; or by that with all on."""
    having = [name for name, steps in variants.items() if step in steps]
    one = variants[having[0] if is_alone else ALL][step]
    return f"{one['us']:,.0f} µs, {one['rate']:,.0f} a second"


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
