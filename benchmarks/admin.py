"""How long the console's pages take where there are many grants: `run.py bench admin`.

It runs in a process without a server and without a network, so the time is that of the page. Each
figure is the median of some rounds, in which the pages take turns. It is the processor's time, of
the process and of its session of the database, which other programs on the machine hardly change;
beside it is the least time by the clock.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from . import goals, targets
from .processes import ROOT

ROUNDS = 9
SETTINGS = "benchmarks.console.settings"


def measure(database, url, postmaster, folder, stack, options):
    """Milliseconds of each page, and how busy the machine was."""
    targets.prepare(url, options.many, "", toolkit=False)
    env = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": SETTINGS}
    line = [sys.executable, "-m", "benchmarks.admin"]
    making = {**env, "DATABASE_FOR": "commands"}
    subprocess.run([*line, str(options.many)], cwd=ROOT, env=making, check=True)
    load = [round(os.getloadavg()[0], 1)]
    said = subprocess.run(line, cwd=ROOT, env=env, stdout=subprocess.PIPE, check=True).stdout
    load.append(round(os.getloadavg()[0], 1))
    pages = json.loads(said)
    for name, (median, least) in pages.items():
        print(f"{name:60} {median:7.1f} ms, by the clock {least:7.1f}")
    medians = {name: median for name, (median, _least) in pages.items()}
    long = [medians.pop(name) for name in list(medians) if name.startswith("long: ")]
    ratios = {goals.ADMIN: max(medians.values()), goals.LONG: max(long)}
    return {"pages": pages, "load": load, "grants": options.many, "ratios": ratios}


def main():
    """Print the milliseconds of each page, as JSON. With a number of grants:
    make the rows beside them, which the pages show.
    """
    import django

    django.setup()
    from .console import rows

    if sys.argv[1:]:
        rows.make(int(sys.argv[1]))
        return
    print(json.dumps({name: _figures(all_) for name, all_ in _times().items()}))


def _times():
    """For each page its rounds: the seconds of the processor, and by the clock."""
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.test import Client

    from .console import found, rows
    from .console.pages import PAGES

    settings.ALLOWED_HOSTS = ["testserver"]
    http, known = Client(), found.rows()
    http.force_login(get_user_model().objects.get(username=rows.OPERATOR))
    times = {name: [] for name in PAGES}
    for _ in range(ROUNDS):
        for name, page in PAGES.items():
            began, worked = time.perf_counter(), _worked()
            page.ask(http, known)
            times[name].append((_worked() - worked, time.perf_counter() - began))
    return times


def _worked():
    """Seconds of the processor's time, of this process and of the session of PostgreSQL."""
    from django.db import connection

    if connection.vendor == "sqlite" or connection.connection is None:
        return time.process_time()
    session = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    return time.process_time() + int(session.read_text().split()[0]) / 1e9


def _figures(rounds):
    """Milliseconds: the median of the processor's, and the least by the clock."""
    worked, passed = zip(*rounds, strict=True)
    return round(statistics.median(worked) * 1_000, 1), round(min(passed) * 1_000, 1)


if __name__ == "__main__":
    main()
