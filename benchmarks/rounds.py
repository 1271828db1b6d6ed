"""Rounds in which the targets take turns: rates, CPU time and percentiles of each, and ratios."""

import statistics

from .load import drive
from .processes import cpu_of, tree


def play(measured, options, postmaster):
    """Requests a second, microseconds of CPU time and percentiles of each target."""
    figures = {}
    for target in measured:
        requests = target.requests(options.requests)
        app, database = target.server.cpu(), _cpu_of_tree(postmaster)
        with target.beside(target.server.port):
            run = drive(target.server.port, requests, target.expected, target.connections)
        each = 1e6 / len(requests)
        figures[target.name] = {
            "rps": round(run.rate, 1),
            "app_us": round((target.server.cpu() - app) * each, 1),
            "database_us": round((_cpu_of_tree(postmaster) - database) * each, 1),
            "p50_ms": round(run.percentile(0.5), 3),
            "p99_ms": round(run.percentile(0.99), 3),
        }
    return figures


def _cpu_of_tree(pid):
    return sum(cpu_of(one) for one in tree(pid)) if pid else 0.0


def report(rounds, ratios, p99=()):
    """Print the medians; they, the rounds, and the medians of the ratios of each round.

    `ratios` and `p99`: what is measured, and the targets whose rates, or p99, are divided.
    """
    medians = {
        name: {figure: statistics.median(one[name][figure] for one in rounds) for figure in figures}
        for name, figures in rounds[0].items()
    }
    print(f"\n{'target':16} {'rps':>8} {'app us':>8} {'db us':>7} {'p50 ms':>7} {'p99 ms':>7}")
    for name, figures in medians.items():
        line = [f"{figures[one]:>{width}}" for one, width in _COLUMNS]
        print(f"{name:16} {' '.join(line)}")
    found = _ratios(rounds, ratios, "rps") | _ratios(rounds, p99, "p99_ms")
    return {"medians": medians, "ratios": found, "rounds": rounds}


def _ratios(rounds, wanted, figure):
    there = rounds[0].keys()
    return {
        measure: round(
            statistics.median(one[name][figure] / one[floor][figure] for one in rounds), 2
        )
        for measure, name, floor in wanted
        if {name, floor} <= there
    }


_COLUMNS = [("rps", 8), ("app_us", 8), ("database_us", 7), ("p50_ms", 7), ("p99_ms", 7)]
