"""The documents as data: pages, their fenced blocks, and what comments above a block order."""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt

from ..standalone import ROOT
from .addresses import path_of

PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted(ROOT.glob("docs/**/*.md")),
    *sorted(ROOT.glob("examples/*/README.md")),
]
COMMENT = re.compile(r"<!--\s*(.*?)\s*-->", re.S)


def short(value):
    """The name of a parameter of a test."""
    return str(value.relative_to(ROOT)) if isinstance(value, Path) else str(value)


@dataclass(frozen=True)
class Order:
    """A comment such as `<!-- append: mysite/settings.py -->`: its word and what follows."""

    word: str
    about: str = ""

    @classmethod
    def read(cls, comment):
        word, _, about = comment.partition(":")
        return cls(word.strip(), about.strip())


@dataclass
class Block:
    """A fenced block. `orders` are those of the comments directly above."""

    page: Path
    line: int
    language: str
    text: str
    orders: list[Order] = field(default_factory=list)

    def __str__(self):
        return f"{short(self.page)}:{self.line}"

    def about(self, word):
        """What an order says; None: it is not given."""
        return next((order.about for order in self.orders if order.word == word), None)


@dataclass
class Stage:
    """A starting state, which `<!-- start: … -->` names, the blocks that build on it, and the URL
    paths that its section names.
    """

    page: Path
    start: str
    blocks: list[Block] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)

    def __str__(self):
        return f"{short(self.page)}: {self.start}"


@cache
def tokens(page):
    return MarkdownIt("commonmark").enable("table").parse(page.read_text())


def orders(token):
    return [Order.read(one) for one in COMMENT.findall(token.content)]


@cache
def stages(page):
    """The stages of a page. What stands before the first start has the start ""."""
    found, waiting, same_section = [Stage(page, "")], [], False
    for token in tokens(page):
        if token.type == "html_block":
            waiting = orders(token)
            started = [Stage(page, one.about) for one in waiting if one.word == "start"]
            found, same_section = found + started, same_section or bool(started)
        elif token.type == "fence":
            line = token.map[0] + 1
            found[-1].blocks.append(Block(page, line, token.info, token.content, waiting))
            waiting = []
        elif token.type == "inline" and same_section:
            found[-1].paths |= paths(token)
        elif token.level == 0:
            waiting, same_section = [], same_section and token.tag != "h2"
    return found


def paths(token):
    """The URL paths that a paragraph names."""
    codes = [child.content for child in token.children if child.type == "code_inline"]
    return {path for code in codes if (path := path_of(code))}


def blocks(*pages):
    return [block for page in pages or PAGES for stage in stages(page) for block in stage.blocks]


def typed(name, start):
    """The only line of a page's commands that begins so, such as `typed("how-to/x.md", "pip ")`: for
    a test that runs it. `name` is below docs/, or from the root: `../README.md`.
    """
    lines = [
        line
        for block in blocks((ROOT / "docs" / name).resolve())
        if block.language == "sh"
        for line in block.text.replace("\\\n", " ").splitlines()
        if line.startswith(start)
    ]
    (line,) = lines
    return line


def inline(page, kind):
    """The inline tokens of a kind (`code_inline`, `link_open`, `image`) of a page."""
    return [
        child
        for token in tokens(page)
        if token.type == "inline"
        for child in token.children
        if child.type == kind
    ]
