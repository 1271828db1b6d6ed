"""Draws the growth curves: `python -m benchmarks.picture FIGURES.json PICTURE.svg`."""

import json
import math
import statistics
import sys
from pathlib import Path

WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 60, 150, 30, 45
COLOURS = {"QUERY": "#1f6feb", "REVOKE": "#b35900"}
DASHES = {"postgresql": "", "sqlite": "5 4"}
NAMES = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}


def draw(figures):
    """The text of an SVG with every curve that the figures have."""
    curves = list(_curves(figures))
    sizes = sorted({size for _, _, points in curves for size, _ in points})
    highest = max(value for _, _, points in curves for _, value in points) * 1.15
    body = [*_grid(sizes, highest)]
    taken = []
    for database, action, points in curves:
        places = [(_x(size, sizes), _y(value, highest)) for size, value in points]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        colour = COLOURS[action]
        body.append(
            f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"'
            f' stroke-dasharray="{DASHES[database]}"/>'
        )
        body += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        x, y = places[-1]
        y = _free(y, taken)
        body.append(
            f'<text x="{x + 10:.1f}" y="{y + 4:.1f}" fill="{colour}">{action},'
            f" {NAMES[database]}</text>"
        )
    return _frame(body)


def _curves(figures):
    for database in NAMES:
        sizes = figures.get(database, {}).get("growth", {}).get("sizes", {})
        for action in COLOURS:
            points = [(int(size), statistics.median(one[action])) for size, one in sizes.items()]
            if points:
                yield database, action, sorted(points)


def _x(size, sizes):
    low, high = math.log10(sizes[0]), math.log10(sizes[-1])
    return LEFT + (math.log10(size) - low) / (high - low) * (WIDTH - LEFT - RIGHT)


def _y(value, highest):
    return HEIGHT - BOTTOM - value / highest * (HEIGHT - TOP - BOTTOM)


def _free(y, taken):
    """A height for a label that keeps away from all other labels."""
    while any(abs(y - one) < 14 for one in taken):  # the height of a label
        y -= 14
    taken.append(y)
    return y


def _grid(sizes, highest):
    for size in sizes:
        x = _x(size, sizes)
        yield f'<text x="{x:.1f}" y="{HEIGHT - 22}" text-anchor="middle">{size:,}</text>'
    middle = (LEFT + WIDTH - RIGHT) / 2
    yield f'<text x="{middle:.0f}" y="{HEIGHT - 4}" text-anchor="middle">grants</text>'
    step = 0.5 if highest < 3 else 1
    for number in range(int(highest / step) + 1):
        y = _y(number * step, highest)
        yield f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#ddd"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{number * step:g} ms</text>'


def _frame(body):
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="sans-serif" font-size="12" fill="#444" role="img">',
        "<title>How long a call takes, by the number of grants</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        *body,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(draw(json.loads(Path(sys.argv[1]).read_text())))
