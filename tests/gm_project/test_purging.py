"""The purge that runs by itself: when it is due, in one process of many, and what it leaves."""

import signal
import subprocess
import sys
import threading
import time
import uuid
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test.utils import CaptureQueriesContext

from gm_project import purging
from gm_project.purging import purge_if_due
from grant_management.models import AccessToken, DailyCount, PurgeRun, RefreshToken
from grant_management.models.purge import purge_all
from grant_management.models.purge_run import LEASE

from ..ours import connection
from ..standalone import (
    ROOT,
    SERVER,
    children,
    environment,
    free_port,
    manage,
    running,
    runs,
    seed,
    serving,
    until,
    wait_for,
    write_records,
)
from ..world import later, now
from .test_processes import database_url, postgresql  # noqa: F401 - fixtures

EVERY = timedelta(minutes=10)


@pytest.fixture(autouse=True)
def unpaced(monkeypatch):
    monkeypatch.setattr(purging, "PAUSES", dict.fromkeys(purging.PAUSES, 0))
    monkeypatch.setattr(purging, "LEAST_PAUSE", 0)
    # The test's own transaction is on this connection.
    monkeypatch.setattr(purging.connections, "close_all", lambda: None)


def expired(world, number=3):
    for _ in range(number):
        world.token(expires_at=now() - timedelta(hours=1))


def test_it_purges_and_keeps_when(world):
    expired(world)
    assert purge_if_due(EVERY)
    assert not AccessToken.objects.exists()
    run = PurgeRun.objects.get()
    assert run.deleted == 3
    assert run.started_at <= run.finished_at <= now()
    assert run.took == run.finished_at - run.started_at
    assert (run.holder, run.held_until) == (None, None)


def test_it_purges_again_when_it_is_due(world):
    assert purge_if_due(EVERY)
    assert not purge_if_due(EVERY)
    assert not later(lambda: purge_if_due(EVERY), EVERY - timedelta(seconds=5))
    assert later(lambda: purge_if_due(EVERY), EVERY + timedelta(seconds=1))


def test_the_command_counts_as_a_purge(world, capsys):
    from django.core.management import call_command

    expired(world, 2)
    call_command("purge_expired", "--dry-run")
    assert PurgeRun.objects.latest_run().finished_at is None
    call_command("purge_expired")
    assert PurgeRun.objects.get().deleted == 2
    assert not purge_if_due(EVERY)


def test_one_process_of_many(world):
    assert PurgeRun.objects.claim(uuid.uuid4(), EVERY)
    assert not purge_if_due(EVERY)
    assert later(lambda: purge_if_due(EVERY), LEASE + timedelta(seconds=1))


def test_whose_claim_ended_stops(world, monkeypatch):
    """After the batch that it is at: another process purges by now."""
    expired(world, 5)
    monkeypatch.setattr(purging, "BATCH_SIZES", dict.fromkeys(purging.BATCH_SIZES, 1))
    monkeypatch.setattr(purging, "LEASE", timedelta())  # it renews after each batch
    monkeypatch.setattr(PurgeRun.objects._queryset_class, "renew", lambda self, holder: False)
    assert not purge_if_due(EVERY)
    assert AccessToken.objects.count() == 4
    assert PurgeRun.objects.get().finished_at is None


def test_a_claim_is_renewed(world):
    one, other = uuid.uuid4(), uuid.uuid4()
    assert PurgeRun.objects.claim(one, EVERY)
    assert later(lambda: PurgeRun.objects.renew(one), LEASE / 2)
    assert not later(lambda: PurgeRun.objects.claim(other, EVERY), LEASE + timedelta(seconds=1))
    assert later(lambda: PurgeRun.objects.claim(other, EVERY), 2 * LEASE)
    assert not PurgeRun.objects.renew(one)


def test_stamps_of_a_clock_that_was_ahead(world):
    """They would stop the purge for as long."""
    ahead = timedelta(days=2)
    assert later(lambda: purge_if_due(EVERY), ahead)
    assert purge_if_due(EVERY)
    assert later(lambda: PurgeRun.objects.claim(uuid.uuid4(), EVERY), ahead)
    assert purge_if_due(timedelta())


def test_whole_tables_are_read_once_a_day(world):
    """Dead tokens without an expiry, and the count of active grants."""
    world.token(world.grant())
    long_ago = now() - timedelta(days=60)

    def dead():
        world.refresh_token(expires_at=None, revoked_at=long_ago)

    dead()
    assert purge_if_due(EVERY)
    assert not RefreshToken.objects.exists()
    assert DailyCount.objects.live().exists()
    DailyCount.objects.live().delete()
    dead()
    assert later(lambda: purge_if_due(EVERY), timedelta(hours=23))
    assert RefreshToken.objects.exists()
    assert not DailyCount.objects.live().exists()
    assert later(lambda: purge_if_due(EVERY), timedelta(hours=24, minutes=1))
    assert not RefreshToken.objects.exists()
    assert DailyCount.objects.live().exists()


def test_no_transaction_is_open_in_a_pause(transactional_db):
    from ..world import make_world

    expired(make_world(), 3)
    seen = [connection.in_atomic_block for _batch in purge_all(1)]
    assert len(seen) > 3
    assert not any(seen)


def test_an_error_of_the_database_is_one_line(world, monkeypatch, caplog):
    def away(*arguments, **named):
        raise OperationalError("password of 10.1.2.3 is hunter2")

    monkeypatch.setattr(purging, "purge_all", away)
    assert not purge_if_due(EVERY)
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("The purge failed: [A277102] OperationalError.")
    assert "\n" not in line
    assert "hunter2" not in line
    monkeypatch.undo()
    monkeypatch.setattr(purging.connections, "close_all", lambda: None)
    assert later(lambda: purge_if_due(EVERY), LEASE + timedelta(seconds=1))


def test_memory_is_that_of_a_batch(world):
    """No statement returns more rows than a batch has."""
    expired(world, 30)
    with CaptureQueriesContext(connection) as captured:
        list(purge_all(7))
    reads = [one["sql"] for one in captured if "_accesstoken" in one["sql"]]
    reads = [sql for sql in reads if sql.startswith("SELECT") and "EXISTS" not in sql]
    assert reads
    assert all("LIMIT 7" in sql or " IN (" in sql for sql in reads)


@pytest.mark.parametrize(("minutes", "number"), [(0, 0), (0.5, 1)])
def test_0_turns_it_off(settings, minutes, number, monkeypatch):
    settings.PURGE_EVERY_MINUTES = minutes
    started = []
    monkeypatch.setattr(threading.Thread, "start", lambda self: started.append(self))
    purging.start()
    assert len(started) == number
    assert all(thread.daemon for thread in started)


@pytest.mark.parametrize("value", ["often", "-1", "nan", "20000"])
def test_a_setting_that_is_no_number_of_minutes(value):
    env = environment(PURGE_EVERY_MINUTES=value, DATABASE_URL="sqlite:///x")
    line = [sys.executable, "manage.py", "check"]
    done = subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode != 0
    assert "PURGE_EVERY_MINUTES must be a number of minutes, 0 to 10080." in done.stderr


def _dead(number, prefix):
    """Records of expired tokens."""
    about = {"type": "access_token", "service": 1001, "client_id": "app-1", "scopes": ["x"]}
    return [about | {"token": f"{prefix}-{n}", "expires_at": 1_700_000_000} for n in range(number)]


def left(url):
    line = "from grant_management.models import AccessToken, PurgeRun; print(AccessToken.objects.count(), PurgeRun.objects.latest_run().deleted)"
    said = manage("shell", "-v", "0", "-c", line, DATABASE_URL=url)
    return tuple(int(one) for one in said.split())


def test_a_server_purges_by_itself(database_url, tmp_path):  # noqa: F811 - it is that fixture
    """One of its workers does: the other finds nothing to do."""
    seed(database_url, tmp_path)
    write_records(database_url, tmp_path, _dead(250, "dead"))
    assert left(database_url) == (252, 0)
    with serving(database_url, 2, PURGE_EVERY_MINUTES="0.03"):
        until(lambda: left(database_url)[0] == 2, "the purge")
    with serving(database_url, 1, PURGE_EVERY_MINUTES="0"):
        write_records(database_url, tmp_path, _dead(10, "more"))
        time.sleep(4)
        assert left(database_url)[0] == 12


def test_a_worker_that_purges_ends_at_once(database_url, tmp_path):  # noqa: F811 - it is that fixture
    """Within a few seconds, and what it had not deleted is there: whole batches are gone."""
    seed(database_url, tmp_path)
    write_records(database_url, tmp_path, _dead(20_000, "dead"))
    env = {"DATABASE_URL": database_url, "PURGE_EVERY_MINUTES": "0.03"}
    port = free_port()
    with running(*SERVER, "127.0.0.1", port, 1, **env) as process:
        wait_for(port)
        until(lambda: left(database_url)[0] < 20_002, "the purge")
        workers = children(process.pid)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=15)
        assert not any(map(runs, workers))
    remaining = left(database_url)[0]
    assert remaining > 2
    assert (remaining - 2) % purging.BATCH_SIZES[connection.vendor] == 0


def test_workers_that_claim_at_once(transactional_db):
    """Of several exactly one may purge."""
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: --db postgresql (SQLite's is in memory)")
    won, gate = [], threading.Barrier(8)

    def one():
        gate.wait()
        try:
            won.append(PurgeRun.objects.claim(uuid.uuid4(), EVERY))
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won.count(True) == 1
