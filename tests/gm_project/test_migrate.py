"""`migrate` of the standalone project: one process at a time."""

import contextlib
import subprocess
import sys

import psycopg
import pytest

from gm_project.database.exclusive import lock

from ..db.test_pooler import OFF, pooled, postgresql  # noqa: F401 - fixtures
from ..each_migration import earlier
from ..ours import connection
from ..standalone import ROOT, SERVER, environment, free_port, manage, running, wait_for


@pytest.fixture
def database_url(request, tmp_path, db):
    """An empty database of the kind that the run is on."""
    if connection.vendor == "postgresql":
        return request.getfixturevalue("postgresql").get_uri()
    return f"sqlite:///{tmp_path / 'own.sqlite3'}"


def test_processes_that_migrate_at_once(database_url):
    """An empty database, five of them: each succeeds."""
    migrate_at_once(database_url, 5)


def test_processes_that_migrate_at_once_behind_a_pooler(pooled):  # noqa: F811 - it is that fixture
    """It hands out its three connections by the transaction; the lock is one's all the same."""
    through, _ = pooled
    migrate_at_once(through, 2, **OFF)


def migrate_at_once(database_url, number, **more):
    line = [sys.executable, "manage.py", "migrate", "-v", "0"]
    env = environment(DATABASE_URL=database_url, **more)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    all_of_them = [subprocess.Popen(line, cwd=ROOT, env=env, **pipes) for _ in range(number)]
    said = [one.communicate(timeout=300)[0] for one in all_of_them]
    assert [one.returncode for one in all_of_them] == [0] * number, said
    assert "[ ]" not in manage("showmigrations", DATABASE_URL=database_url, **more)


def test_servers_that_start_at_once_on_an_empty_database(database_url):
    ports = {free_port(), free_port()}
    with contextlib.ExitStack() as stack:
        for port in ports:
            line = ("run.py", "serve", "--port", port, "--workers", 1)
            stack.enter_context(running(*line, DATABASE_URL=database_url, SECRET_KEY="k" * 50))
        for port in ports:
            wait_for(port)


def test_a_lock_that_is_held_stops_nobody_else(database_url):
    """Who comes after the migration does not wait behind it for long; it tries again until it can."""
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: --db postgresql")
    earlier(database_url, "0012_console_search")
    line = ("manage.py", "migrate", "-v", "0")
    table = "SELECT count(*) FROM grant_management_call"  # which 0013 alters
    with psycopg.connect(database_url) as holder, psycopg.connect(database_url) as other:
        holder.execute(table)
        with running(*line, DATABASE_URL=database_url) as process:
            assert "trying again" in process.stderr.readline()
            other.execute("SET statement_timeout = '20s'")
            other.execute(table)
            other.commit()
            holder.commit()
            process.communicate()
    assert process.returncode == 0
    assert "[ ]" not in manage("showmigrations", DATABASE_URL=database_url)


HOLDER = """
import os, sys, time
import django
django.setup()
from django.db import connection
from gm_project.database.migration_lock import take
{settings}
held = take("default")
print("held" if held else "not held", file=sys.stderr, flush=True)
time.sleep(600)
"""
ENV = {"DJANGO_SETTINGS_MODULE": "gm_project.settings"}


@pytest.mark.parametrize(
    "settings", ["", "connection.settings_dict['OPTIONS']['server_side_binding'] = True"]
)
def test_the_second_says_that_it_waits(database_url, settings):
    """It holds up nothing meanwhile: on PostgreSQL the first can make an index concurrently."""
    sqlite = database_url.startswith("sqlite")
    if sqlite and settings:
        pytest.skip("about PostgreSQL")
    migrate = ("manage.py", "migrate", "-v", "0")
    with (
        contextlib.ExitStack() as stack,
        running("-c", HOLDER.format(settings=settings), DATABASE_URL=database_url, **ENV) as first,
    ):
        assert first.stderr.readline() == "held\n"
        second = stack.enter_context(running(*migrate, DATABASE_URL=database_url))
        assert "waiting for it" in second.stderr.readline()
        if not sqlite:
            make_index(database_url)
        assert second.poll() is None
        first.kill()
        assert second.wait(timeout=300) == 0
    assert "[ ]" not in manage("showmigrations", DATABASE_URL=database_url)


def make_index(database_url):
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (c int)")
        connection.execute("SET statement_timeout = '60s'")
        connection.execute("CREATE INDEX CONCURRENTLY i ON t (c)")


def test_a_lock_ends_with_its_process(tmp_path):
    """However it ends."""
    path = tmp_path / "lock"
    program = f"""
import pathlib, sys, time
from gm_project.database.exclusive import lock
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


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:////nowhere/at/all.sqlite3", "DATABASE_URL has to name a file in a folder"),
        ("postgres://nobody@127.0.0.1:1/none", "[A277102]"),
    ],
)
def test_a_database_that_cannot_be_used_is_told_in_one_line(url, words):
    """Also by `serve`, which migrates first."""
    for line in (("manage.py", "migrate"), (*SERVER, "127.0.0.1", free_port(), 1, "--migrate")):
        env = environment(DATABASE_URL=url)
        done = subprocess.run(
            [sys.executable, *map(str, line)], cwd=ROOT, env=env, capture_output=True, text=True
        )
        assert done.returncode == 1
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1
