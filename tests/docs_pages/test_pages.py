"""Every tutorial and how-to: for whom it is, what runs, and that its links lead somewhere."""

import re

import pytest

from .page import DOCS, blocks

PAGES = sorted(
    str(page.relative_to(DOCS))
    for part in ("tutorials", "how-to")
    for page in (DOCS / part).glob("*.md")
)


@pytest.mark.parametrize("name", PAGES)
def test_the_top_says_for_whom_and_what_for(name):
    title, blank, *lines = (DOCS / name).read_text().splitlines()
    assert (title[:2], blank) == ("# ", "")
    top = " ".join(lines[: lines.index("")])
    assert top.startswith("For whom: ")
    assert "At the end you" in top or "At the end " in top


@pytest.mark.parametrize("name", PAGES)
def test_each_block_runs_or_says_why_not(name):
    text = (DOCS / name).read_text()
    found = blocks(name)
    assert text.count("```") == 2 * len(found), "a fence without a language, or one that never ends"
    for block in found:
        known = block.file or block.is_shell or block.is_output
        assert known or not block.runs, f"{block}: neither a file, nor commands, nor output"
        assert block.mark in ("", "keeps running") or not block.runs, f"{block}: {block.mark}"


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name):
    page = DOCS / name
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        assert link.startswith("https://") or (page.parent / link).exists(), link
