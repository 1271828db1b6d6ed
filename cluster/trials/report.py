"""The table of the trials, on a terminal and in docs/explanation/reliability.md."""

from collections import Counter
from pathlib import Path
from typing import Final

from chaos.report import CLUSTER, DOCUMENT, in_two, joined, refusals

from .faults import FAULTS
from .trial import Row

HEAD: Final = (
    "| fault | path | calls | no read, s | no write, s | lost | stale | replayed | wrong"
    " | calls that failed, by code |\n" + "| --- " * 10 + "|"
)


def line(row: Row) -> str:
    """A row of the table."""
    if row.missing:
        return f"| {row.fault} | {row.path} | not run: {row.missing} | | | | | | | |"
    times = [f"{row.no_reads:.1f}", f"{row.no_writes:.1f}"]
    numbers = [row.lost, row.stale, row.replayed, row.wrong]
    cells = [row.fault, row.path, f"{row.calls:,}", *times, *(f"{one:,}" for one in numbers)]
    return f"| {' | '.join([*cells, refusals(row.refused)])} |"


def grouped(row: Row) -> list[str]:
    """Each different finding once, with its number."""
    counted = Counter((one.kind, one.sentence) for one in row.findings)
    return [f"{kind}: {sentence} ({number:,})" for (kind, sentence), number in counted.items()]


def write(rows: list[Row], command: str) -> None:
    """Put the section of the cluster into the document, in the place of an earlier one."""
    before, _ = in_two(DOCUMENT.read_text())
    DOCUMENT.write_text(joined(before, section(rows, command)))


def section(rows: list[Row], command: str) -> str:
    """The text of the section."""
    text = Path(__file__).with_name("section.txt").read_text().strip().format(command=command)
    told = [f"* **{row.fault}**, {row.path}: {'; '.join(grouped(row))}." for row in rows]
    kept = [one for row, one in zip(rows, told, strict=True) if row.findings]
    about = [f"* **{fault.name}**: {' '.join((fault.__doc__ or '').split())}" for fault in FAULTS]
    table = "\n".join([HEAD, *map(line, rows)])
    return "\n\n".join(filter(None, [CLUSTER, text, table, "\n".join(kept), "\n".join(about)]))
