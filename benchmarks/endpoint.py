"""The endpoint, compared with peers and floors.

One worker runs on one core, the load and PostgreSQL on another. The targets take turns in rounds,
every answer is checked, and a ratio is the median of the ratios of the rounds.
"""

import shutil

from . import goals, targets
from .load import drive
from .rounds import play, report
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
        rounds.append(play(measured, options, postmaster))
    server = next(one for one in measured if one.name == "bearer").server
    return {**report(rounds, RATIOS, P99), "private_mib": round(server.private_memory(), 1)}


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
