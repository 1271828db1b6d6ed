"""`--db`: which database the tests run on. PostgreSQL is a real one, started for the run."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from . import pgbouncer, postgresql

POOL = 12
"""Sessions for each database: a test has some threads that write at once."""
NOT_POOLED = {
    "tests/api/test_failures.py::TestConnection": "it sets up and ends the session of its client",
    "tests/db/test_bounded_waits.py::test_a_transaction_that_takes_too_long": "the same",
    "tests/management/test_doctor.py": "it finds the pooler, besides: tests/db/test_pooler.py",
    "tests/gm_project/test_database_url.py::test_the_first_of_several_hosts": "it names a socket",
    "tests/gm_project/test_database_url.py::test_what_django_and_the_server": "it names a socket",
}
"""Tests that say nothing behind PgBouncer, by the beginning of their IDs, and why."""

NOT_APART = {
    f"tests/api/test_authlete.py::{name}": "an export or an import names a service there"
    for name in (
        "test_exports_keep_what_was_deleted",
        "test_a_record_that_is_deleted_is_cut_off_and_locked",
    )
}
"""Tests that say nothing of services that live apart, by the beginning of their IDs, and why."""


def pytest_addoption(parser):
    parser.addoption("--db", choices=["sqlite", "postgresql"], default="sqlite")
    parser.addoption(
        "--postgresql",
        default="",
        metavar="VERSION",
        help="16, 18, or the folder of its programs: /usr/lib/postgresql/15/bin",
    )
    parser.addoption(
        "--routed", action="store_true", help="the app in a second database, beside a stale replica"
    )
    parser.addoption(
        "--apart", action="store_true", help="every service in a second database (tests/apart.py)"
    )
    parser.addoption(
        "--pooled", action="store_true", help="PostgreSQL behind PgBouncer in transaction mode"
    )
    parser.addoption("--grants", type=int, default=0, help="for tests/scale: how many")
    parser.addoption(
        "--lifecycle", type=int, default=8, metavar="N", help="for tests/lifecycle: how many lives"
    )
    parser.addoption("--interleavings", choices=["few", "some", "all"], default="some")
    parser.addoption(
        "--traced", action="store_true", help="each test makes spans, searched for credentials"
    )
    parser.addoption("--slow", action="store_true", help="also what takes minutes")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config, parser, args):
    """Before Django's settings are read; the workers of a run inherit the environment."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return (yield)
    folder = Path(tempfile.mkdtemp(prefix="gm-tests-"))
    database = early_config.known_args_namespace.db
    os.environ[postgresql.VERSION] = early_config.known_args_namespace.postgresql
    server = postgresql.start(folder) if database == "postgresql" else None
    url = server.get_uri() if server else f"sqlite:///{folder / 'tests.sqlite3'}"
    if early_config.known_args_namespace.pooled:
        url = _pooled(server, early_config)
    os.environ |= {"DATABASE_URL": url, "TESTS_FOLDER": str(folder)}
    # A busy machine is no reason to fail; servers that tests start have a server's own bounds.
    os.environ["DATABASE_FOR"] = "commands"
    if early_config.known_args_namespace.routed:
        os.environ["DJANGO_SETTINGS_MODULE"] = "tests.routed"
    if early_config.known_args_namespace.apart:
        os.environ["DJANGO_SETTINGS_MODULE"] = "tests.apart"
    early_config.add_cleanup(lambda: _end(server, folder))
    return (yield)


def _pooled(server, early_config):
    """The URL of the server's database behind a pooler, which ends with the run."""
    folder = Path(tempfile.mkdtemp(prefix="gm-pgbouncer-"))
    socket_folder = server.get_postmaster_info().socket_dir
    process, port = pgbouncer.start(folder, socket_folder, size=POOL)

    def end():
        process.terminate()
        process.wait(timeout=10)
        shutil.rmtree(folder)

    early_config.add_cleanup(end)
    os.environ["DATABASE_TIMEOUTS"] = "off"
    return f"postgresql://postgres@127.0.0.1:{port}/postgres"


def _end(server, folder):
    if server is not None:
        server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """A test that may use the database may use each that there is."""
    if config.option.pooled:
        _mark(items, NOT_POOLED, pytest.mark.skip)
    if config.option.apart:
        _mark(items, NOT_APART, pytest.mark.skip)
    if config.option.routed or config.option.apart:
        for item in items:
            _open_all(item)


def _mark(items, reasons, mark):
    for item in items:
        for name, reason in reasons.items():
            if item.nodeid.startswith(name):
                item.add_marker(mark(reason=reason))


def _open_all(item):
    """Let the test use all databases, if it uses one."""
    transactional = "transactional_db" in item.fixturenames
    marker = item.get_closest_marker("django_db")
    if marker is not None or "db" in item.fixturenames or transactional:
        given = dict(marker.kwargs) if marker else {"transaction": transactional}
        item.add_marker(pytest.mark.django_db(**(given | {"databases": "__all__"})), False)
