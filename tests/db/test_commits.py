"""A primary whose standbys are gone: reads go on, writes are refused, and no commit is cancelled."""

import contextlib
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from chaos.proofs import Key

from ..gm_project.test_processes import postgresql  # noqa: F401 - a fixture
from ..standalone import API_TOKEN, PATH, QUERY, post, seed, serving, until, write_records

OWN = {"service": 1001, "client_id": "app-1"}
SCOPES = ["grant_management_query", "grant_management_revoke"]
KEY = Key()
MORE = [
    {"type": "grant", "grant_id": "g-2", **OWN},
    {"type": "access_token", "grant_id": "g-2", "token": "t-3", "scopes": SCOPES, **OWN},
    {"type": "grant", "grant_id": "g-3", **OWN},
    {
        "type": "access_token",
        "grant_id": "g-3",
        "token": "bound",
        "scopes": SCOPES,
        "cnf": {"jkt": KEY.thumbprint},
        **OWN,
    },
]
REVOKE = QUERY | {"gmAction": "REVOKE"}
OTHER = QUERY | {"grantId": "g-2", "accessToken": "t-3"}
BUSY = "[A277103] The database of this server is busy: try again."
UNKNOWN = "[A277103] The database of this server is busy: whether this request was done is unknown."
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


def told(port, members):
    return post(port, PATH, API_TOKEN, members)[1]["resultMessage"]


def bound():
    proof = KEY.proof("g-3", "bound")
    return QUERY | {"grantId": "g-3", "accessToken": "bound", "dpop": proof}


@pytest.fixture
def url(postgresql, tmp_path):  # noqa: F811 - it is that fixture
    url = postgresql.get_uri()
    seed(url, tmp_path)
    write_records(url, tmp_path, MORE)
    return url


@contextlib.contextmanager
def without_standby(url):
    """Commits wait for a standby that never comes. Gives a session that sees who waits."""
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        session.execute("SELECT pg_reload_conf()")
        try:
            yield session
        finally:
            session.execute("ALTER SYSTEM RESET synchronous_standby_names")
            session.execute("SELECT pg_reload_conf()")


def number(session, sql):
    return session.execute(sql).fetchone()[0]


def events(url):
    with psycopg.connect(url, autocommit=True) as session:
        return number(session, "SELECT count(*) FROM grant_management_grantevent")


def test_reads_go_on_and_writes_are_refused(url):
    with serving(url) as port, ThreadPoolExecutor(1) as pool:
        assert told(port, bound()).startswith("[A277001]")
        with without_standby(url) as session:
            first = pool.submit(told, port, REVOKE)
            until(lambda: number(session, WAITING) == 1, "the commit")
            while not first.done():
                # It is not acknowledged, so nobody sees it: neither its caller nor another one.
                assert told(port, QUERY).startswith("[A277001]")
            assert first.result() == UNKNOWN
            assert number(session, WAITING) == 1, "it was not cancelled"
            for _ in range(20):  # refused at once: none of them waits, and none leaves a session
                assert told(port, OTHER | {"gmAction": "REVOKE"}) == BUSY
                assert told(port, bound()) == BUSY
                assert told(port, OTHER).startswith("[A277001]")
            assert number(session, WAITING) == 1
        until(lambda: told(port, bound()).startswith("[A277001]"), "a write")
        assert told(port, OTHER | {"gmAction": "REVOKE"}).startswith("[A277001]")
        assert told(port, QUERY).startswith("[A280303]"), "the unknown one was done"
    assert events(url) >= 2


def test_proofs_that_wait_leave_a_thread_for_reads(url):
    """Each DPoP QUERY stores its proof, so it waits as a write does: a slot of writes bounds them."""
    with serving(url) as port, ThreadPoolExecutor(6) as pool, without_standby(url) as session:
        waiting = [pool.submit(told, port, bound()) for _ in range(6)]
        until(lambda: number(session, WAITING) == 3, "the proofs")
        assert told(port, OTHER).startswith("[A277001]")
        assert number(session, WAITING) == 3
        assert {one.result() for one in waiting} == {BUSY, UNKNOWN}


def test_a_primary_that_ends_during_a_commit(url):
    """The session is ended as by a crash: what it waited for may have been written."""
    with serving(url) as port, ThreadPoolExecutor(1) as pool, without_standby(url) as session:
        first = pool.submit(told, port, REVOKE)
        until(lambda: number(session, WAITING) == 1, "the commit")
        session.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        )
        assert first.result() == UNKNOWN
