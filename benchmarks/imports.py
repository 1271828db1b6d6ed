"""The speed of an import: a file of grants with two tokens each, by the project's own command."""

import hashlib
import json
import os
import subprocess
import sys
import time

from . import goals
from .processes import ROOT, SERVER_CORE

CLIENTS = 1_000


def measure(database, url, postmaster, folder, stack, options):
    """Rows a second, and the largest resident set of the command in MiB."""
    path = folder / "grants.jsonl"
    rows = _write(path, options.imported)
    env = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "gm_project.settings"}
    env["DATABASE_FOR"] = "commands"
    _manage(env, "migrate", "-v", "0")
    began = time.perf_counter()
    usage = _manage(env, "import_grants", str(path))
    seconds = time.perf_counter() - began
    rate, memory = round(rows / seconds), round(usage.ru_maxrss / 1_024, 1)
    print(f"{rows:,} rows in {seconds:.0f} s")
    return {
        "rows": rows,
        "seconds": round(seconds, 1),
        "ratios": {goals.IMPORT_RATE: rate, goals.IMPORT_MEMORY: memory},
    }


def _manage(env, *arguments):
    """The resources that a command used. CalledProcessError: it failed."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=env,
        preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}),
    )
    _pid, status, usage = os.wait4(process.pid, 0)
    if status:
        raise subprocess.CalledProcessError(status, arguments)
    return usage


def _write(path, grants):
    """Write the records; how many there are."""
    rows = 0
    with path.open("w") as stream:
        for record in _records(grants):
            stream.write(json.dumps(record) + "\n")
            rows += 1
    return rows


def _records(grants):
    yield {"type": "organization", "id": 1, "name": "Example Bank"}
    yield {"type": "service", "id": 1001, "organization": 1, "name": "Retail"}
    for number in range(CLIENTS):
        yield {"type": "client", "service": 1001, "client_id": f"client-{number}"}
    for number in range(grants):
        own = {"service": 1001, "client_id": f"client-{number % CLIENTS}"}
        own |= {"grant_id": f"g-{number}", "subject": f"subject-{number // 5}"}
        yield {
            "type": "grant",
            **own,
            "scopes": [{"scope": "openid accounts"}],
            "authorization_details": [{"type": "account_information", "actions": ["read"]}],
        }
        for kind in ("access_token", "refresh_token"):
            digest = hashlib.sha256(f"{kind}-{number}".encode()).hexdigest()
            yield {"type": kind, **own, "token_sha256": digest, "scopes": ["openid"]}
