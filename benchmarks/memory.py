"""The private memory (USS) of a worker, before and after many requests."""

from . import goals, targets
from .load import drive

REQUESTS = 100_000
STEP = 10_000


def measure(database, url, postmaster, folder, stack, options):
    """The private memory in MiB after each step."""
    key = targets.Key()
    targets.prepare(url, options.grants, key.jkt)
    server = targets.serve(url)
    stack.callback(server.stop)
    found = []
    requests = targets.bearer_queries(STEP, options.grants)
    for step in range(REQUESTS // STEP + 1):
        found.append(round(server.private_memory(), 1))
        print(f"{step * STEP:>9,} requests {found[-1]:7.1f} MiB", flush=True)
        if step < REQUESTS // STEP:
            drive(server.port, requests, b'"OK"')
    return {"mib": found, "ratios": {goals.MEMORY: found[-1]}}
