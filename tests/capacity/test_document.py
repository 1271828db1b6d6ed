"""The tables of docs/explanation/sizing.md are what the figures and the arithmetic give."""

import re
from dataclasses import replace

import pytest

from benchmarks.capacity import arithmetic, document, measured, tables
from benchmarks.capacity.assumed import DAY, Machine
from benchmarks.capacity.plan import plan


def numbers(table):
    return [float(one.replace(",", "")) for one in re.findall(r"(?<= )[\d,.]+(?= )", table)]


@pytest.mark.parametrize("made", tables.TABLES, ids=lambda made: made.__name__)
def test_a_table_is_up_to_date(made):
    """`run.py bench sizing --write` writes them. Another Python simulates a little differently."""
    expected = made()
    there = document.found(document.DOCUMENT.read_text(), expected)
    if made is tables.points:
        assert numbers(there) == pytest.approx(numbers(expected), rel=0.05)
    else:
        assert there == expected


def test_a_missing_table_is_an_error():
    with pytest.raises(LookupError):
        document.found("nothing", tables.calls())


def plan_of(**others):
    return plan(replace(tables.SIZES[-1], **others), Machine())


def test_what_the_text_says():
    """Its numbers beside the tables."""
    text = document.DOCUMENT.read_text()
    disks = [tables.short(one.disk) for one in (plan_of(refresh_lives=DAY), plan_of())]
    assert f"leaves {disks[0]} GB of the {disks[1]} that" in text
    used = arithmetic.utilisations(tables.SIZES[-1], Machine())
    share = 0.5 / max(used[part] for part in arithmetic.OF_A_NODE)
    largest = [tables.short(share * of) for of in (tables.SIZES[-1].calls, tables.SIZES[-1].grants)]
    assert f"{largest[0]} calls a second, and {largest[1]} grants." in text
    whole = sum(measured.ROWS[row].bytes for row in measured.ROWS if row != "usedproof")
    assert f"takes {whole / 1e3:.1f} KB" in text
