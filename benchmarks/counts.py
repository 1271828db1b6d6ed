"""Counts of SQL statements and of objects in reference cycles, in a process without a server."""

import gc
import json
import os
import subprocess
import sys

from . import goals, targets
from .processes import ROOT

CALLS = 50


def measure(database, url, postmaster, folder, stack, options):
    """Count in a process of its own, which is configured for this database."""
    key = targets.Key()
    targets.prepare(url, 1_000, key.jkt)
    revokes = targets.numbered(targets.alive(CALLS, 700), "REVOKE")
    requests = {
        "query": [targets.body_of(one) for one in targets.bearer_queries(CALLS, 1_000)],
        "dpop": [targets.body_of(one) for one in targets.dpop_queries(CALLS, 1_000, key)],
        "revoke": [targets.body_of(one) for one in revokes],
    }
    env = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": targets.SETTINGS}
    line = [sys.executable, "-m", "benchmarks.counts"]
    said = subprocess.run(
        line,
        cwd=ROOT,
        env=env,
        input=json.dumps(requests),
        text=True,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    found = json.loads(said)
    ratios = {
        goals.STATEMENTS: found["query"]["statements"],
        goals.STATEMENTS_DPOP: found["dpop"]["statements"],
        goals.STATEMENTS_REVOKE: found["revoke"]["statements"],
        goals.CYCLES: found["query"]["cycles"],
    }
    return {**found, "ratios": ratios}


def main():
    """Read requests from standard input, and print the counts."""
    import django

    django.setup()
    given = json.load(sys.stdin)
    print(json.dumps({name: _count(bodies) for name, bodies in given.items()}))


def _count(bodies):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    _answer(bodies[0])  # fills caches
    gc.collect()
    gc.disable()
    for body in bodies[1:-1]:
        _answer(body)
    cycles = gc.collect() / len(bodies[1:-1])
    gc.enable()
    with CaptureQueriesContext(connection) as captured:
        _answer(bodies[-1])
    # What frames a transaction is not counted.
    frames = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
    made = [one for one in captured if not one["sql"].startswith(frames)]
    return {"statements": len(made), "cycles": round(cycles, 1)}


def _answer(body):
    from django.test import RequestFactory
    from django.urls import resolve

    view, _arguments, fields = resolve(targets.PATH)
    headers = {"Authorization": f"Bearer {targets.API_TOKEN}"}
    request = RequestFactory().post(
        targets.PATH, body, content_type="application/json", headers=headers
    )
    assert json.loads(view(request, **fields).content)["resultCode"] == "A277001"


if __name__ == "__main__":
    main()
