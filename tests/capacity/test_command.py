"""`run.py bench sizing`, as docs/explanation/sizing.md types it, and with other assumptions."""

import re
import shlex

import pytest

from benchmarks.capacity.__main__ import main

from ..docs_pages.page import blocks

TYPED = [
    arguments
    for block in blocks("explanation/sizing.md")
    for arguments in re.findall(r"^python3 run\.py bench sizing (.+)$", block.text, re.M)
]


@pytest.mark.parametrize("typed", TYPED)
def test_what_the_page_types(typed, capsys):
    assert main(shlex.split(typed)) == 0
    assert "nodes of PostgreSQL" in capsys.readouterr().out


def said(capsys, *arguments):
    main(list(arguments))
    return capsys.readouterr().out


def test_prices_are_the_readers(capsys):
    free = said(capsys, "--price-core", "0", "--price-memory", "0", "--price-disk", "0")
    assert "\n0 a month" in free


def test_an_assumption_changes_what_is_needed(capsys):
    assert said(capsys).splitlines()[-5:] != said(capsys, "--calls", "100").splitlines()[-5:]
    without = said(capsys, "--share-dpop", "0", "--calls", "100")
    assert without != said(capsys, "--calls", "100")


@pytest.mark.parametrize("typed", ["--share-dpop nothing", "--no-such 1"])
def test_a_wrong_option_is_refused(typed, capsys):
    with pytest.raises(SystemExit) as refused:
        main(shlex.split(typed))
    assert refused.value.code == 2
    assert "error:" in capsys.readouterr().err
