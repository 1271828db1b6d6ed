"""How long the console's pages take where there are many grants: `run.py bench admin`.

It runs in a process without a server and without a network, so the time is that of the page. Each
figure is the median of some rounds, in which the pages take turns.
"""

import json
import os
import statistics
import subprocess
import sys
import time

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
        print(f"{name:60} {median:7.1f} ms, at least {least:7.1f}")
    medians = {name: median for name, (median, _least) in pages.items()}
    long = [medians.pop(name) for name in list(medians) if name.startswith("long: ")]
    ratios = {goals.ADMIN: max(medians.values()), goals.LONG: max(long)}
    return {"pages": pages, "load": load, "grants": options.many, "ratios": ratios}


def main():
    """Print the median and the least milliseconds of each page, as JSON. With a number of grants:
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
            began = time.perf_counter()
            page.ask(http, known)
            times[name].append((time.perf_counter() - began) * 1_000)
    return times


def _figures(times):
    return round(statistics.median(times), 1), round(min(times), 1)


if __name__ == "__main__":
    main()
