"""Tables of the documents, to compare with the code."""

from pathlib import Path

ROOT = Path(__file__).parent.parent


def documented_table(head):
    """The rows of the one table with this head, wherever it is; each row is a list of its cells."""
    documents = [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]
    (text,) = (text for text in (one.read_text() for one in documents) if f"\n{head}\n" in text)
    lines = text.partition(f"\n{head}\n")[2].partition("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
