"""Each figure is in the document that it is said to come from."""

import re

import pytest

from benchmarks.capacity import measured
from benchmarks.capacity.measured import CALLS, PERFORMANCE, POINTS, Figure
from gm_project import purging

from ..standalone import ROOT

FIGURES = [one for one in vars(measured).values() if isinstance(one, Figure)]


def text(name):
    return (ROOT / "docs" / "explanation" / name).read_text()


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.words)
def test_its_words_are_there(figure):
    assert figure.words in text(figure.document)


def point(name):
    """The row of performance.md's table of targets: calls/s, app µs, database µs, p50, p99."""
    head = "| target | PostgreSQL: requests/s | app µs + database µs | p50 / p99 ms |"
    _, _, after = text(PERFORMANCE).partition(head)
    line = next(one for one in after.splitlines() if one.replace("*", "").startswith(f"| {name} |"))
    rate, costs, times = line.split(" | ")[1:4]
    return [float(one) for one in re.findall(r"[\d.]+", f"{rate} {costs} {times}".replace(",", ""))]


@pytest.mark.parametrize("given", POINTS, ids=lambda given: given.name)
def test_a_point_is_a_row_of_performance(given):
    rate, app, database, p50, p99 = point(given.name)
    assert [given.rate, given.p50, given.p99] == [rate, p50, p99]
    assert [given.call.app_us, given.call.database_us] == [app, database]


def test_what_is_said_to_come_from_performance_is_a_point():
    cited = [call for call in CALLS.values() if call.document == PERFORMANCE]
    assert cited
    assert all(call in [one.call for one in POINTS] for call in cited)


def test_the_purge_is_the_servers():
    assert purging.BATCH_SIZES["postgresql"] == measured.PURGE_BATCH
