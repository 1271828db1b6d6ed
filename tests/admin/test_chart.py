"""Bars: their axis, their lengths, their labels."""

import re

import pytest
from django.template.loader import get_template

from grant_management.admin.kit.chart import BOTTOM, LEFT, TOP, WIDTH, Chart, Series


def chart(*numbers, places=None):
    places = places or [f"2026-01-{n + 1:02d}" for n in range(len(numbers[0]))]
    series = tuple(
        Series(f"kind {n}", str(n), list(one), [f"/{n}/{place}" for place in places])
        for n, one in enumerate(numbers, 1)
    )
    return Chart("x", "Title", "Day", "Grants", places, [name[5:] for name in places], series)


@pytest.mark.parametrize(
    ("most", "ticks"),
    [
        (0, ["0", "1"]),
        (1, ["0", "1"]),
        (4, ["0", "1", "2", "3", "4"]),
        (5, ["0", "2", "4", "6"]),
        (21, ["0", "10", "20", "30"]),
        (1_234, ["0", "500", "1,000", "1,500"]),
        (10**9, ["0", "500,000,000", "1,000,000,000"]),
    ],
)
def test_the_axis_has_round_numbers(most, ticks):
    assert [tick["number"] for tick in chart([most]).ticks()] == ticks


def test_bars_have_the_length_of_their_numbers():
    high, half, small = chart([100, 50, 1]).bars()
    assert float(high["height"]) == BOTTOM - TOP
    assert float(half["height"]) == (BOTTOM - TOP) / 2
    assert float(small["height"]) == (BOTTOM - TOP) / 100
    assert float(high["y"]) + float(high["height"]) == BOTTOM


def test_a_small_number_is_seen_and_zero_is_not():
    bars = list(chart([100_000, 1, 0]).bars())
    assert [float(bar["height"]) for bar in bars] == [BOTTOM - TOP, 1]


@pytest.mark.parametrize("number", [7, 24, 30, 90])
def test_all_is_inside_the_drawing(number):
    drawn = chart([1] * number, [2] * number, places=[f"2026-{n:05d}" for n in range(number)])
    for bar in drawn.bars():
        assert float(bar["x"]) >= LEFT
        assert float(bar["x"]) + float(bar["width"]) <= WIDTH
    labels = list(drawn.labels())
    assert 1 < len(labels) <= 8
    ends = [float(bar["x"]) + float(bar["width"]) for bar in drawn.bars()]
    assert ends == sorted(ends)


def test_each_bar_says_what_it_is():
    first, second = chart([1_000], [2]).bars()
    assert (first["says"], first["url"]) == ("2026-01-01, kind 1: 1,000", "/1/2026-01-01")
    assert (second["says"], second["css"]) == ("2026-01-01, kind 2: 2", "2")


def test_the_table_has_every_number_also_zero():
    (row,) = chart([0], [3]).table()
    assert [cell["number"] for cell in row["cells"]] == ["0", "3"]
    assert row["place"] == "2026-01-01"


def test_what_is_drawn_is_escaped_once():
    """In the bars and in the table: labels, places and URLs."""
    series = (Series("<b>", "1", [1_000], ["/?a=1&b=2"]), Series("c", "2", [3], ["/3"]))
    made = Chart("x", "Title", "<day>", "Grants", ["<i>"], ["i"], series)
    said = "&lt;i&gt;, &lt;b&gt;: 1,000"
    link = '<a href="/?a=1&amp;b=2"'
    assert f'{link} aria-label="{said}">' in made.drawn()
    assert f"<title>{said}</title>" in made.drawn()
    assert made.drawn().count('fill="url(#gm-hatch-x)"') == 1
    assert made.rows() == (
        '<tr><th scope="row" data-label="&lt;day&gt;">&lt;i&gt;</th>'
        f'<td data-label="&lt;b&gt;">{link}>1,000</a></td>'
        '<td data-label="c"><a href="/3">3</a></td></tr>\n'
    )


def test_both_axes_have_a_name():
    drawn = get_template("admin/grant_management/chart.html").render({"chart": chart([1, 2])})
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", drawn)
    assert {"Day", "Grants"} <= set(texts)
