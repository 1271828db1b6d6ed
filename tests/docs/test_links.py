"""Relative links and their anchors exist; every page can be found from the first one."""

import re
from functools import cache

import pytest

from ..standalone import ROOT
from .pages import PAGES, inline, short, tokens

LINKS = [
    (page, link)
    for page in [*PAGES, ROOT / "CHANGELOG.md"]
    for kind, attribute in (("link_open", "href"), ("image", "src"))
    for token in inline(page, kind)
    if not (link := token.attrs[attribute]).startswith(("http:", "https:", "mailto:"))
]


@cache
def anchors(page):
    """The anchors of headings, as repositories' web views make them."""
    found = set()
    for heading, text in zip(tokens(page), tokens(page)[1:], strict=False):
        if heading.type == "heading_open":
            words = "".join(
                child.content for child in text.children if child.type in ("text", "code_inline")
            )
            slug = re.sub(r"[^\w\- ]", "", words.strip().lower()).replace(" ", "-")
            found.add(slug if slug not in found else f"{slug}-1")
    return found


@pytest.mark.parametrize(("page", "link"), LINKS, ids=short)
def test_link(page, link):
    name, _, anchor = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    assert target.exists()
    assert not anchor or anchor in anchors(target)


def test_the_index_names_every_page():
    index = ROOT / "docs" / "index.md"
    named = {(page.parent / link).resolve() for page, link in LINKS if page == index}
    assert [page for page in PAGES if ROOT / "docs" in page.parents and page not in named] == [
        index
    ]


@pytest.mark.parametrize("page", PAGES, ids=short)
def test_a_page_has_one_title_and_says_for_whom_it_is(page):
    titles = [token for token in tokens(page) if token.type == "heading_open" and token.tag == "h1"]
    assert len(titles) == 1
    if page.parent.parent in (ROOT / "docs", ROOT / "examples"):
        first = page.read_text().split("\n\n")[1]
        assert re.fullmatch(r"For whom: .+\nAt the end .+", first, re.S)
