"""What is acknowledged is on the disk: in the server, and as a check for other projects."""

import contextlib
import shutil
import signal
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.checks import run_checks

from ..ours import connection
from ..standalone import (
    API_TOKEN,
    PATH,
    RECORDS,
    ROOT,
    SERVER,
    children,
    environment,
    free_port,
    manage,
    post,
    running,
    seed,
    wait_for,
    write_records,
)


@pytest.fixture
def sqlite():
    if connection.vendor != "sqlite":
        pytest.skip("about SQLite")


def test_the_servers_connection_syncs_each_commit(sqlite, tmp_path):
    """synchronous is EXTRA, 3: FULL in WAL mode, and more where there is no WAL."""
    url = f"sqlite:///{tmp_path / 'own.sqlite3'}"
    manage("migrate", "-v", "0", DATABASE_URL=url)
    port, application = free_port(), "tests.server_pragmas:application"
    with running(*SERVER, "127.0.0.1", port, 1, application, DATABASE_URL=url):
        wait_for(port)
        assert post(port, "/", "", {})[1] == {"journal_mode": "wal", "synchronous": 3}


@pytest.mark.skipif(shutil.which("strace") is None, reason="counts system calls: needs strace")
def test_a_revoke_reaches_the_disk_before_its_answer(sqlite, tmp_path):
    """20 REVOKEs, at least 20 syncs."""
    url, port, log = f"sqlite:///{tmp_path / 'own.sqlite3'}", free_port(), tmp_path / "syncs"
    seed(url, tmp_path)
    write_records(url, tmp_path, [record for number in range(20) for record in _grant(number)])
    revoke = {"gmAction": "REVOKE", "grantId": "g-1", "accessToken": "t-1"}
    with running(*SERVER, "127.0.0.1", port, 1, DATABASE_URL=url) as server:
        wait_for(port)
        assert post(port, PATH, API_TOKEN, revoke)[1]["action"] == "NO_CONTENT"  # all is open now
        with traced(children(server.pid), log):
            for number in range(20):
                call = revoke | {"grantId": f"many-{number}", "accessToken": f"of-many-{number}"}
                assert post(port, PATH, API_TOKEN, call)[1]["action"] == "NO_CONTENT"
    assert log.read_text().count("sync(") >= 20


def _grant(number):
    grant, token = RECORDS[4], RECORDS[5]
    grant_id = f"many-{number}"
    return [
        grant | {"grant_id": grant_id},
        token | {"grant_id": grant_id, "token": f"of-many-{number}"},
    ]


@contextlib.contextmanager
def traced(pids, log):
    """The syncs of processes, by strace, into a file."""
    line = ["strace", "-f", "-e", "trace=fsync,fdatasync", "-o", str(log)]
    line += [part for pid in pids for part in ("-p", str(pid))]
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True) as process:
        assert "attached" in process.stderr.readline()
        yield
        process.send_signal(signal.SIGINT)


def ids():
    found = (message.id for message in run_checks(databases=list(settings.DATABASES)))
    return {name for name in found if "grant_management" in name}


def test_check_is_silent_on_the_standalone_project(db):
    assert ids() == set()


HOST = """
from pathlib import Path
SECRET_KEY = "only-for-this-test"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "rest_framework", "grant_management"]
MIDDLEWARE = ["grant_management.middleware.JSONErrorsMiddleware"]
USE_TZ = True
DATABASES = {"default": {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": Path(__file__).parent / "db.sqlite3",
    "OPTIONS": OPTIONS_OF_THE_TEST,
}}
"""
IMMEDIATE = {"transaction_mode": "IMMEDIATE"}


def _init(*commands):
    return IMMEDIATE | {"init_command": "; ".join(f"PRAGMA {command}" for command in commands)}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"W004", "W005"}),
        (IMMEDIATE, {"W004"}),
        (_init("synchronous=EXTRA"), set()),
        (_init("synchronous=FULL"), {"W004"}),
        (_init("journal_mode=TRUNCATE", "synchronous=FULL"), set()),
        (_init("journal_mode=WAL", "synchronous=NORMAL"), {"W004"}),
        (_init("journal_mode=WAL", "synchronous=FULL"), set()),
        (_init("journal_mode=MEMORY", "synchronous=EXTRA"), {"W004"}),
        ({"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=EXTRA"}, {"W005"}),
        ({"init_command": "PRAGMA synchronous=3", "transaction_mode": "exclusive"}, set()),
    ],
)
def test_check_in_another_project(sqlite, tmp_path, options, expected):
    """It asks the connection, so it knows what its settings, the file and SQLite's build come to."""
    (tmp_path / "host.py").write_text(HOST.replace("OPTIONS_OF_THE_TEST", repr(options)))
    env = environment(PYTHONPATH=f"{tmp_path}:{ROOT}", DJANGO_SETTINGS_MODULE="host")
    line = [sys.executable, "-m", "django", "check"]
    done = subprocess.run(
        [*line, "--database", "default"], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert {number for number in ("W004", "W005", "W006") if number in done.stderr} == expected


def test_check_of_postgresql(db):
    if connection.vendor != "postgresql":
        pytest.skip("about PostgreSQL")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
    assert ids() == {"grant_management.W006"}
