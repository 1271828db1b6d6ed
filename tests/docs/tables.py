"""The tables of a page, row by row."""

from ..standalone import ROOT


def rows(name, heading):
    """The rows below the header of a table of `docs/reference/NAME.md`, as lists of cells."""
    text = (ROOT / "docs" / "reference" / f"{name}.md").read_text()
    head = "| " + " | ".join(heading) + " |\n"
    assert text.count(head) >= 1, f"{name} has no table {heading}"
    found = []
    for table in text.split(head)[1:]:
        lines = table.splitlines()[1:]
        end = next((n for n, line in enumerate(lines) if not line.startswith("|")), len(lines))
        found += [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[:end]]
    return found


def codes(cell):
    """The words between backticks of a cell."""
    return cell.split("`")[1::2]
