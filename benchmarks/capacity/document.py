"""Writes the tables into docs/explanation/sizing.md, each in place of the one with its heading."""

from ..processes import ROOT
from .tables import TABLES

DOCUMENT = ROOT / "docs" / "explanation" / "sizing.md"


def write() -> None:
    """Write every table. LookupError: the document lacks a heading."""
    text = DOCUMENT.read_text()
    for made in TABLES:
        table = made()
        text = text.replace(found(text, table), table)
    DOCUMENT.write_text(text)


def found(text: str, table: str) -> str:
    """The table of a text with the same heading. LookupError: it has none."""
    heading = table.splitlines(keepends=True)[0]
    _before, there, after = text.partition(heading)
    if not there:
        raise LookupError(heading)
    lines = after.splitlines(keepends=True)
    end = next((n for n, line in enumerate(lines) if not line.startswith("|")), len(lines))
    return heading + "".join(lines[:end])
