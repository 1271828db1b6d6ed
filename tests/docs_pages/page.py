"""A page of the documentation as its reader follows it: blocks, in order, in an empty folder."""

import re
from dataclasses import dataclass
from pathlib import Path

from ..standalone import ROOT

DOCS = ROOT / "docs"
SHELL, OUTPUT = ("sh", "bash"), ("text", "json")
_BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>[^\n]*?) -->\n)?(?P<indent> *)```(?P<language>\S+)\n(?P<text>.*?)\n(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_NAMED = re.compile(r"(?:#|//|<!--) (?P<path>[\w./-]+\.\w+)(?P<appended>, at the end)?(?: -->)?\n")


@dataclass(frozen=True)
class Block:
    """`mark`: what the HTML comment directly above it says, such as `not run: needs a cluster`, or
    `run by: tests/…`, which is another test.
    """

    page: Path
    line: int
    language: str
    text: str
    mark: str

    def __str__(self):
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def runs(self):
        return not self.mark.startswith(("not run: ", "run by: "))

    @property
    def is_shell(self):
        return self.language in SHELL

    @property
    def is_output(self):
        """What the commands above it print."""
        return self.language in OUTPUT

    @property
    def file(self):
        """The file that the reader writes it into, and whether at its end; None: no file."""
        named = _NAMED.match(self.text)
        return (named["path"], bool(named["appended"])) if named and not self.is_shell else None


def blocks(name):
    """The blocks of `docs/NAME`, in order."""
    page = DOCS / name
    text = page.read_text()
    return [
        Block(
            page,
            text.count("\n", 0, found.start("text")),
            found["language"],
            re.sub(f"^{found['indent']}", "", found["text"], flags=re.MULTILINE),
            found["mark"] or "",
        )
        for found in _BLOCK.finditer(text)
    ]


def matches(expected, said):
    """Whether output is as the page says; `…` stands for anything."""
    pattern = re.escape(expected.strip()).replace("…", ".*?")
    return re.fullmatch(pattern, said.strip(), re.DOTALL) is not None
