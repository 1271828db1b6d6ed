"""The standalone project as a process of its own, on a free port of this machine."""

import atexit
import contextlib
import functools
import http.client
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent
SERVER = ("-m", "gm_project.serving")


def free_port():
    """Below the ports of outgoing connections: one of those would be taken again by anybody's."""
    while True:
        port = 10_000 + secrets.randbelow(22_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def environment(**changes):
    """As little as a shell has, so that nothing leaks in from the test run.

    Nothing is purged unless a test asks for it: a purge writes at a moment that no test can know.
    """
    names = ("PATH", "HOME", "LANG", "TMPDIR", "COVERAGE_PROCESS_CONFIG")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return kept | {"PURGE_EVERY_MINUTES": "0"} | changes


def manage(*arguments, **env):
    """Run a command; its standard output."""
    line = [sys.executable, "manage.py", *map(str, arguments)]
    return subprocess.run(
        line, cwd=ROOT, env=environment(**env), check=True, capture_output=True, text=True
    ).stdout


@contextlib.contextmanager
def running(*line, stdout=subprocess.DEVNULL, **env):
    """A process of ours, by its command line; ended afterwards. What it says on standard error is
    at hand, and with `stdout=subprocess.PIPE` what it writes.
    """
    with subprocess.Popen(
        [sys.executable, *map(str, line)],
        cwd=ROOT,
        env=environment(**env),
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


@contextlib.contextmanager
def serving(
    database_url, workers=1, *, module="gm_project.serving", host="127.0.0.1", log=None, **env
):
    """A server; yields its port. What it logs goes into the file `log`."""
    port = free_port()
    line = [sys.executable, "-m", module, host, str(port), str(workers)]
    with contextlib.nullcontext() if log is None else log.open("w") as stderr:
        process = subprocess.Popen(
            line,
            cwd=ROOT,
            env=environment(DATABASE_URL=database_url, **env),
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
    try:
        wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=60)


def children(pid):
    """The processes that a process started, and that still run."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                if int(parent) == pid and state != "Z":
                    found.append(int(entry.name))
    return found


def runs(pid):
    """Whether there is such a process, and it has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextlib.contextmanager
def frozen(main):
    """A process and its children by its number, stopped as if the machine had no time for them."""
    first = psutil.Process(main)
    first.suspend()  # so that it starts and ends no more of them
    stopped = [first, *first.children()]
    try:
        for one in stopped:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.suspend()
        yield
    finally:
        for one in stopped:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.resume()


def until(condition, what):
    """Wait for it. The limit ends a test that hangs; it is no measure of how fast it should be."""
    limit = time.monotonic() + 120
    while not condition():
        if time.monotonic() > limit:
            raise TimeoutError(what)
        time.sleep(0.1)


def wait_for(port):
    def answers():
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True

    until(answers, "the server did not come up")


def host_settings(**changes):
    """For `serving`: the project's settings with changes, as a host has them."""
    return {
        "DJANGO_SETTINGS_MODULE": "tests.host_settings",
        "HOST_SETTINGS": json.dumps(changes),
    }


def raw(port, *pieces, end=False):
    """What a server answers to these very bytes: status, headers, body. `end`: we hang up."""
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        with contextlib.suppress(OSError):  # it may have answered, and closed
            for piece in pieces:
                connection.sendall(piece)
            if end:
                connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(status.split()[1]), headers, body


def post(port, path, api_token, members):
    """The status and the answer of one call, on a connection of its own."""
    headers = {"Authorization": f"Bearer {api_token}", "Content-Type": "application/json"}
    made = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(made) as connection:
        connection.request("POST", path, json.dumps(members), headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())


RECORDS = [
    {"type": "organization", "id": 1, "name": "Example Bank"},
    {
        "type": "service",
        "id": 1001,
        "organization": 1,
        "name": "Retail",
        "grant_management_endpoint": "https://as.example.com/gm",
    },
    {"type": "api_token", "kind": "service", "service": 1001, "token": "api-token-of-a-test"},
    {"type": "client", "service": 1001, "client_id": "app-1"},
    {"type": "grant", "service": 1001, "client_id": "app-1", "grant_id": "g-1"},
    {
        "type": "access_token",
        "service": 1001,
        "client_id": "app-1",
        "grant_id": "g-1",
        "token": "t-1",
        "scopes": ["grant_management_query", "grant_management_revoke"],
    },
    {
        "type": "access_token",
        "service": 1001,
        "client_id": "app-1",
        "token": "t-2",
        "scopes": ["grant_management_query"],
    },
]
PATH, API_TOKEN = "/api/1001/auth/gm", "api-token-of-a-test"
QUERY = {"gmAction": "QUERY", "grantId": "g-1", "accessToken": "t-1"}


def seed(database_url, folder):
    """Migrate a database of its own, and import a small world."""
    path = Path(database_url.removeprefix("sqlite:///"))
    if database_url.startswith("sqlite:") and not path.exists():
        copy_of(migrate_and_import, path)
        as_lines(folder, RECORDS)
    else:
        migrate_and_import(database_url, folder)


def copy_of(make, path):
    """Put a copy of a SQLite database at a path. `make` makes it, once in a run: see `seed`."""
    shutil.copy(_made(make), path)


@functools.cache
def _made(make):
    folder = Path(tempfile.mkdtemp(prefix="gm-made-"))
    atexit.register(shutil.rmtree, folder)
    path = folder / "made.sqlite3"
    make(f"sqlite:///{path}", folder)
    assert not path.with_name(f"{path.name}-wal").exists(), "all of it is in the file"
    return path


def migrate_and_import(database_url, folder):
    """What `seed` does, where it is no copy."""
    manage("migrate", "-v", "0", DATABASE_URL=database_url)
    write_records(database_url, folder, RECORDS)


def write_records(database_url, folder, records):
    """Import them."""
    manage("import_grants", as_lines(folder, records), DATABASE_URL=database_url)


def as_lines(folder, records):
    """The file of the records, as JSON Lines."""
    path = Path(folder) / "records.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path
