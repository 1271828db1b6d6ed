"""What holds in every process, and when the database goes away: with the real server."""

import contextlib
import shutil
import tempfile
from pathlib import Path

import pytest

from ..ours import connection
from ..postgresql import start as start_postgresql
from ..standalone import API_TOKEN, PATH, QUERY, manage, post, seed, serving


@pytest.fixture
def postgresql(db):
    """A database server of its own, to be stopped and started."""
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: --db postgresql")
    with started() as server:
        yield server


@contextlib.contextmanager
def started():
    folder = Path(tempfile.mkdtemp(prefix="gm-away-"))
    server = start_postgresql(folder)
    try:
        yield server
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def shared_url(tmp_path_factory):
    """A seeded database of the kind that the run is on, for tests that leave it as it is."""
    folder = tmp_path_factory.mktemp("shared")
    with contextlib.ExitStack() as stack:
        if connection.vendor == "postgresql":
            url = stack.enter_context(started()).get_uri()
        else:
            url = f"sqlite:///{folder / 'shared.sqlite3'}"
        seed(url, folder)
        yield url


def test_database_that_goes_away_and_comes_back(postgresql, tmp_path):
    """AUTHLETE_ERROR while it is away; the next call after it is back works."""
    url = postgresql.get_uri()
    seed(url, tmp_path)
    with serving(url) as port:
        assert post(port, PATH, API_TOKEN, QUERY)[1]["action"] == "OK"
        postgresql.stop()
        for _ in range(3):
            status, answer = post(port, PATH, API_TOKEN, QUERY)
            assert (status, answer["action"], answer["resultCode"]) == (
                500,
                "AUTHLETE_ERROR",
                "A277102",
            )
        postgresql.start()
        status, answer = post(port, PATH, API_TOKEN, QUERY)
        assert (status, answer["action"]) == (200, "OK")


@pytest.fixture
def database_url(request, tmp_path):
    """A database of the kind that the run is on, but of its own."""
    if connection.vendor == "postgresql":
        return request.getfixturevalue("postgresql").get_uri()
    return f"sqlite:///{tmp_path / 'own.sqlite3'}"


def test_what_is_revoked_is_dead_in_every_process(database_url, tmp_path):
    """At the very next request: two servers, and commands beside them."""
    seed(database_url, tmp_path)
    with serving(database_url) as one, serving(database_url) as two:
        for port in (one, two, one, two):
            assert post(port, PATH, API_TOKEN, QUERY)[1]["action"] == "OK"
        revoke = QUERY | {"gmAction": "REVOKE"}
        assert post(one, PATH, API_TOKEN, revoke)[1]["action"] == "NO_CONTENT"
        for port in (two, one):
            assert post(port, PATH, API_TOKEN, QUERY)[1]["resultCode"] == "A280303"
            own = QUERY | {"accessToken": "t-2"}
            assert post(port, PATH, API_TOKEN, own)[1]["resultCode"] == "A283301"
        manage("lock_client", "--service", 1001, "--client", "app-1", DATABASE_URL=database_url)
        for port in (one, two):
            assert post(port, PATH, API_TOKEN, own)[1]["resultCode"] == "A280304"
        stop = "from grant_management.models import Actor, ApiToken; ApiToken.objects.get().revoke(Actor.command('test'))"
        manage("shell", "-v", "0", "-c", stop, DATABASE_URL=database_url)
        for port in (two, one):
            assert post(port, PATH, API_TOKEN, own)[0] == 401
