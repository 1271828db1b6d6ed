"""The endpoint, compared with peers and floors.

One worker runs on one core, the load and PostgreSQL on another. The targets take turns in rounds,
every answer is checked, and a ratio is the median of the ratios of the rounds.
"""

import shutil
import statistics

from . import goals, targets
from .load import drive
from .processes import cpu_of, tree
from .stalls import stalled

RATIOS = [
    (goals.TOOLKIT, "bearer", "toolkit"),
    (goals.USERINFO, "dpop", "userinfo"),
    (goals.INTROSPECTION, "bearer", "introspection"),
    (goals.BEARER, "bearer", "bare"),
    (goals.DPOP, "dpop", "bare"),
]
P99 = [
    (goals.P99_BEARER, "bearer", "bare"),
    (goals.P99_DPOP, "dpop", "bare"),
    (goals.P99_STALLED, "stalled", "bearer"),
]
WARM_UP = 4_000
"""Requests to each target before the first round: V8 needs so many to be at its fastest."""


def measure(database, url, postmaster, folder, stack, options):
    """The figures: medians, ratios, rounds, and the private memory of the server in MiB."""
    key = targets.Key()
    targets.prepare(url, options.grants, key.jkt)
    measured = [
        target
        for target in _targets(url, database, key, stack, folder, options)
        if not options.only or target.name in options.only
    ]
    for target in measured:
        drive(target.server.port, target.requests(WARM_UP), target.expected)
    rounds = []
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", flush=True)
        rounds.append(_round(measured, options, postmaster))
    server = next(one for one in measured if one.name == "bearer").server
    return {**_report(rounds), "private_mib": round(server.private_memory(), 1)}


def _targets(url, database, key, stack, folder, options):
    """The targets, with their servers started.

    The endpoint and its peers in Django share one server; node-oidc-provider has its own.
    """
    ours = targets.serve(url, peers=True)
    stack.callback(ours.stop)
    number, is_pg = options.grants, database == "postgresql"
    made = [
        targets.Target(
            "bare",
            ours,
            lambda count: targets.moved(targets.bearer_queries(count, number), "/api/bare"),
            b"A277001",
        ),
        targets.Target(
            "bearer", ours, lambda count: targets.bearer_queries(count, number), b'"OK"', is_pg
        ),
        targets.Target(
            "stalled",
            ours,
            lambda count: targets.bearer_queries(count, number),
            b'"OK"',
            is_pg,
            beside=stalled,
        ),
        targets.Target(
            "dpop", ours, lambda count: targets.dpop_queries(count, number, key), b'"OK"', is_pg
        ),
        targets.Target(
            "stock",
            ours,
            lambda count: targets.moved(targets.bearer_queries(count, number), "/api/stock"),
            b"A277001",
            is_pg,
        ),
        targets.Target(
            "toolkit",
            ours,
            lambda count: targets.introspections(count, number),
            b'"active": true',
            is_pg,
        ),
    ]
    if shutil.which("npm") and not options.only:
        provider = targets.Provider(key, folder)
        stack.callback(provider.server.stop)
        made += [
            targets.Target(
                "introspection", provider.server, provider.introspections, b'"active":true'
            ),
            targets.Target("userinfo", provider.server, provider.userinfos, b'"sub":"user-1"'),
        ]
    return made


def _round(measured, options, postmaster):
    """Requests a second, microseconds of CPU time and percentiles of each target."""
    figures = {}
    for target in measured:
        requests = target.requests(options.requests)
        app, database = target.server.cpu(), _cpu_of_tree(postmaster)
        with target.beside(target.server.port):
            run = drive(target.server.port, requests, target.expected)
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


def _report(rounds):
    medians = {
        name: {figure: statistics.median(one[name][figure] for one in rounds) for figure in figures}
        for name, figures in rounds[0].items()
    }
    print(f"\n{'target':16} {'rps':>8} {'app us':>8} {'db us':>7} {'p50 ms':>7} {'p99 ms':>7}")
    for name, figures in medians.items():
        line = [f"{figures[one]:>{width}}" for one, width in _COLUMNS]
        print(f"{name:16} {' '.join(line)}")
    return {"medians": medians, "ratios": _ratios(rounds), "rounds": rounds}


def _ratios(rounds):
    def median(name, floor, figure):
        return round(statistics.median(one[name][figure] / one[floor][figure] for one in rounds), 2)

    there = rounds[0].keys()
    found = {
        measure: median(name, floor, "rps")
        for measure, name, floor in RATIOS
        if {name, floor} <= there
    }
    for measure, name, floor in P99:
        if {name, floor} <= there:
            found[measure] = median(name, floor, "p99_ms")
    return found


_COLUMNS = [("rps", 8), ("app_us", 8), ("database_us", 7), ("p50_ms", 7), ("p99_ms", 7)]
