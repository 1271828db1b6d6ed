"""The time of a call with few grants and with many: it should be the same.

The servers of all sizes run side by side and take turns, with one connection each: the figure is
how long a call takes.
"""

import os
import statistics
import subprocess
import sys

from . import databases, goals, targets
from .load import drive
from .processes import ROOT

FEW = 1_000
ROUNDS = 10
QUERIES, REVOKES = 200, 36
HEAVY, LIGHT = 100_000, 1
"""The numbers of tokens of the grants that are revoked."""


def measure(database, url, postmaster, folder, stack, options):
    """Milliseconds by size and action, and the ratios of the largest size to the smallest."""
    servers = {}
    for size in _sizes(options.many):
        (folder / str(size)).mkdir()
        own, _ = databases.start(database, folder / str(size), stack)
        servers[size] = _serve(own, size, stack)
    if options.largest and database == goals.POSTGRESQL:
        size, _, own = options.largest.partition("=")
        servers[int(size)] = _serve(own, int(size), stack)
    found = _rounds(servers)
    weights = _weigh(own, servers[max(servers)])
    few, many = found[min(servers)], found[max(servers)]
    _show(found, weights)
    return {
        "sizes": found,
        "tokens": weights,
        "ratios": {
            goals.QUERY_GROWTH: _ratio(many["QUERY"], few["QUERY"]),
            goals.REVOKE_GROWTH: _ratio(many["REVOKE"], few["REVOKE"]),
            goals.REVOKE_TOKENS: _ratio(weights[HEAVY], weights[LIGHT]),
        },
    }


def _sizes(many):
    sizes = [FEW]
    while sizes[-1] * 10 <= many:
        sizes.append(sizes[-1] * 10)
    return sizes


def _serve(url, size, stack):
    print(f"making {size:,} grants", flush=True)
    targets.prepare(url, size, "", toolkit=False)
    _run(url, "warm")
    server = targets.serve(url)
    stack.callback(server.stop)
    return server


def _ratio(much, little):
    return round(statistics.median(much) / statistics.median(little), 2)


def _rounds(servers):
    """The median of each round in milliseconds, by size and action."""
    found = {size: {"QUERY": [], "REVOKE": []} for size in servers}
    for number in range(-1, ROUNDS):  # round -1 warms up
        for size, server in servers.items():
            queried = targets.numbered(_of(size, number, (2,), QUERIES), "QUERY")
            revoked = targets.numbered(_of(size, number, (3, 4, 6, 8), REVOKES), "REVOKE")
            times = {
                "QUERY": drive(server.port, queried, b'"OK"', 1).median,
                "REVOKE": drive(server.port, revoked, b'"NO_CONTENT"', 1).median,
            }
            if number >= 0:
                for action, median in times.items():
                    found[size][action].append(median)
    return found


def _of(size, number, digits, count):
    """Numbers of grants that end in these digits, from all over; each round has new ones."""
    there = size // 10 * len(digits)
    stride = max(there // (count * (ROUNDS + 1)), 1)
    places = (((number + 1) * count + index) * stride % there for index in range(count))
    return [place // len(digits) * 10 + digits[place % len(digits)] for place in places]


def _weigh(url, server):
    """Milliseconds of each REVOKE, by the number of tokens of its grant."""
    numbers = range(5, 5 + 20 * 10, 10)
    _run(url, "add_tokens", *map(str, numbers[::2]))
    found = {HEAVY: [], LIGHT: []}
    for index, number in enumerate(numbers):
        run = drive(server.port, targets.numbered([number], "REVOKE"), b'"NO_CONTENT"', 1)
        found[LIGHT if index % 2 else HEAVY].append(run.median)
    return found


def _run(url, *arguments):
    """Run this module in a process of its own, which is configured for that database."""
    env = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": targets.SETTINGS}
    env["DATABASE_FOR"] = "commands"
    line = [sys.executable, "-m", "benchmarks.growth", *arguments]
    subprocess.run(line, cwd=ROOT, env=env, check=True)


def _show(found, weights):
    print(f"\n{'grants':>12} {'QUERY ms':>10} {'REVOKE ms':>10}")
    for size, times in found.items():
        medians = [statistics.median(times[action]) for action in ("QUERY", "REVOKE")]
        print(f"{size:>12,} {medians[0]:>10.3f} {medians[1]:>10.3f}")
    for tokens, times in weights.items():
        print(f"REVOKE of a grant with {tokens:,} tokens: {statistics.median(times):.3f} ms")


def main(name, *numbers):
    """Prepare a database before it is measured: `warm`, or `add_tokens` for these grants."""
    import django

    django.setup()
    from django.db import connection

    from benchmarks.data import add_tokens, revive, warm

    if name == "warm":
        revive()
        if connection.vendor == "postgresql":
            warm(connection)
    for number in numbers:
        add_tokens(int(number), HEAVY - 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
