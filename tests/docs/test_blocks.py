"""Every block of every page: it has a language, it can be parsed, and it runs or says why not."""

import pytest

from ..standalone import ROOT
from .languages import PARSERS, RUN, STARTS, WORDS, allowed_not_to_run, reads
from .pages import PAGES, blocks, orders, short, stages, tokens


@pytest.mark.parametrize("block", blocks(), ids=short)
def test_can_be_parsed(block):
    excused = allowed_not_to_run(block)
    assert block.language in PARSERS or (block.language and excused), "it has no language"
    if block.language in PARSERS:
        PARSERS[block.language](block.text)


@pytest.mark.parametrize("page", PAGES, ids=short)
def test_comments_are_orders(page):
    """A misspelt order would be taken for none."""
    given = [
        order for token in tokens(page) if token.type == "html_block" for order in orders(token)
    ]
    assert {order.word for order in given} <= WORDS
    assert {order.about for order in given if order.word == "start"} <= set(STARTS)


@pytest.mark.parametrize("page", PAGES, ids=short)
def test_what_runs_has_a_starting_state(page):
    before, *_ = stages(page)
    unplaced = [
        block for block in before.blocks if block.language in RUN and not allowed_not_to_run(block)
    ]
    assert unplaced == [] or has_a_test_of_its_own(page), (
        "say `<!-- start: … -->` above, or why they are not run"
    )


@pytest.mark.parametrize("page", PAGES, ids=short)
def test_every_other_block_says_what_becomes_of_it(page):
    """Commands and Python run without a word. What is neither is written, compared, or an example."""
    silent = [
        str(block)
        for block in blocks(page)
        if block.language not in (*RUN, "{eval-rst}") and not block.orders
    ]
    assert silent == [] or has_a_test_of_its_own(page)


def has_a_test_of_its_own(page):
    """Whether a test of its own takes its blocks from it."""
    return any(reads(test, page) for test in (ROOT / "tests").rglob("test_*.py"))
