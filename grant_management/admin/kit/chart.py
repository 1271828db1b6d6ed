"""Bar charts, drawn on the server as SVG: no script, no style of their own, so that they show under
`script-src 'self'; style-src 'self'`. Each bar is a link to the list of what it counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from typing import Any, Final

from django.utils.html import format_html
from django.utils.safestring import SafeString

from ...db.counting import grouped
from .markup import joined, safe

WIDTH: Final = 720
HEIGHT: Final = 240
LEFT: Final = 64
"""Width of the numbers beside the vertical axis."""
BOTTOM: Final = 200
"""Where the horizontal axis is; its labels are below it."""
TOP: Final = 10
TICKS: Final = 4
"""The most lines above the horizontal axis."""
LABELS: Final = 8
"""The most labels of the horizontal axis."""


@dataclass(frozen=True)
class Series:
    """The bars of one kind: its label, its class in CSS, and a number and a URL for each place."""

    label: Any
    css: str
    numbers: list[int]
    urls: list[str]

    @cached_property
    def links(self) -> list[SafeString]:
        """The URLs as HTML has them, for the bars and for the table."""
        return [safe(url) for url in self.urls]


@dataclass(frozen=True)
class Chart:
    """Bars of one or more kinds at each place of a horizontal axis.

    `places` are the labels of the table and of the bars, `marks` the short ones of the axis.
    `notes` say what the numbers leave out, or where not `is_counted` how they get counted.
    """

    name: str
    title: Any
    across: Any
    up: Any
    places: list[str]
    marks: list[str]
    series: tuple[Series, ...]
    notes: tuple[Any, ...] = ()
    is_counted: bool = True

    width = WIDTH
    height = HEIGHT
    left = LEFT
    bottom = BOTTOM

    @property
    def middle(self) -> int:
        """Where the name of the vertical axis is, which is written upwards."""
        return -(TOP + BOTTOM) // 2

    @property
    def highest(self) -> int:
        """The number at the upper end of the vertical axis."""
        most = max((number for one in self.series for number in one.numbers), default=0)
        step = _step(most)
        return max(step, -(-most // step) * step)

    @property
    def total(self) -> int:
        """The sum of all numbers; 0: there is nothing to draw."""
        return sum(number for one in self.series for number in one.numbers)

    def ticks(self) -> Iterator[dict[str, Any]]:
        """The lines of the vertical axis, each with its number."""
        highest = self.highest
        for number in range(0, highest + 1, _step(highest)):
            yield {"y": _rounded(_y(number, highest)), "number": grouped(number)}

    def labels(self) -> Iterator[dict[str, Any]]:
        """The labels of the horizontal axis, as many as fit."""
        every = -(-len(self.marks) // LABELS) or 1
        slot = self._slot()
        for place in range(0, len(self.marks), every):
            yield {"x": _rounded(LEFT + slot * (place + 0.5)), "text": self.marks[place]}

    def bars(self) -> Iterator[dict[str, Any]]:
        """The bars that are no zero, from left to right."""
        slot, highest = self._slot(), self.highest
        wide = slot * 0.8 / len(self.series)
        for place, name in enumerate(self.places):
            for order, one in enumerate(self.series):
                number = one.numbers[place]
                if number:
                    # At least 1 unit, so that a small number does not look like none.
                    y = min(_y(number, highest), BOTTOM - 1)
                    yield {
                        "x": _rounded(LEFT + slot * (place + 0.1) + wide * order),
                        "y": _rounded(y),
                        "width": _rounded(wide),
                        "height": _rounded(BOTTOM - y),
                        "css": one.css,
                        "url": one.urls[place],
                        "link": one.links[place],
                        "says": f"{name}, {one.label}: {self._written[number]}",
                    }

    def table(self) -> Iterator[dict[str, Any]]:
        """The rows of the table: a place, and for each kind label, number, URL and link."""
        for place, name in enumerate(self.places):
            cells = [
                {
                    "label": one.label,
                    "number": self._written[one.numbers[place]],
                    "url": one.urls[place],
                    "link": one.links[place],
                }
                for one in self.series
            ]
            yield {"place": name, "cells": cells}

    @cached_property
    def _written(self) -> dict[int, SafeString]:
        """Each number as the page writes it: in a bar, and in the table."""
        numbers = {number for one in self.series for number in one.numbers}
        return {number: safe(grouped(number)) for number in numbers}

    # A page has some hundreds of these: a template takes several times as long for each, and so
    # do several calls of `format_html` for one, or one with values that are no HTML yet.

    def drawn(self) -> SafeString:
        """The bars as SVG; all but the first kind are hatched."""
        return joined(map(self._drawn, self.bars()))

    def _drawn(self, bar: dict[str, Any]) -> SafeString:
        hatched = (
            '<rect x="{2}" y="{3}" width="{4}" height="{5}" fill="url(#gm-hatch-{7})"'
            ' pointer-events="none"/>'
        )
        return format_html(
            '<a href="{0}" aria-label="{1}"><rect x="{2}" y="{3}" width="{4}" height="{5}"'
            ' class="gm-bar-{6}"><title>{1}</title></rect>'
            + ("" if bar["css"] == self.series[0].css else hatched)
            + "</a>\n",
            *(bar["link"], safe(bar["says"]), bar["x"], bar["y"], bar["width"], bar["height"]),
            *(safe(bar["css"]), safe(self.name)),
        )

    def rows(self) -> SafeString:
        """The rows of the table as HTML."""
        return joined(map(self._row, self.table()))

    def _row(self, row: dict[str, Any]) -> SafeString:
        across, *labels = self._labels
        cells = zip(labels, row["cells"], strict=True)
        values = ((label, cell["link"], cell["number"]) for label, cell in cells)
        return format_html(
            '<tr><th scope="row" data-label="{}">{}</th>'
            + '<td data-label="{}"><a href="{}">{}</a></td>' * len(labels)
            + "</tr>\n",
            *(across, safe(row["place"]), *chain.from_iterable(values)),
        )

    @cached_property
    def _labels(self) -> list[SafeString]:
        """What the cells of a row are, as HTML has it."""
        return [safe(name) for name in (self.across, *(s.label for s in self.series))]

    def _slot(self) -> float:
        return (WIDTH - LEFT) / max(len(self.places), 1)


def _y(number: int, highest: int) -> float:
    return BOTTOM - number / highest * (BOTTOM - TOP)


@lru_cache(maxsize=4_096)
def _rounded(number: float) -> SafeString:
    """A length for SVG, with a point in any language; most of a page's are those of the last."""
    return safe(f"{number:.2f}".rstrip("0").rstrip("."))


def _step(most: int) -> int:
    """The distance of two lines: 1, 2 or 5 times a power of ten."""
    power = 1
    while True:
        for factor in (1, 2, 5):
            if factor * power * TICKS >= most:
                return factor * power
        power *= 10
