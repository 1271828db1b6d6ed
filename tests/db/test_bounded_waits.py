"""A database that is locked, frozen or away, and the real server: nobody waits for long."""

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import DatabaseError, InterfaceError

from gm_project.database.timeouts import COMMANDS, PAGES, REQUESTS
from grant_management.db import primary
from grant_management.db.failures import classify, settle
from grant_management.db.statement import Statement
from grant_management.protocol.results import Result

from ..gm_project.test_processes import postgresql  # noqa: F401 - a fixture
from ..standalone import (
    API_TOKEN,
    PATH,
    QUERY,
    ROOT,
    environment,
    frozen,
    manage,
    post,
    seed,
    serving,
    until,
    write_records,
)

OTHER = QUERY | {"grantId": "g-2", "accessToken": "t-3"}
REVOKE = QUERY | {"gmAction": "REVOKE"}
SECOND_GRANT = [
    {"type": "grant", "service": 1001, "client_id": "app-1", "grant_id": "g-2"},
    {
        "type": "access_token",
        "service": 1001,
        "client_id": "app-1",
        "grant_id": "g-2",
        "token": "t-3",
        "scopes": ["grant_management_query"],
    },
]


@pytest.fixture
def url(postgresql, tmp_path):  # noqa: F811 - it is that fixture
    url = postgresql.get_uri()
    seed(url, tmp_path)
    write_records(url, tmp_path, SECOND_GRANT)
    return url


def code_of(port, members):
    return post(port, PATH, API_TOKEN, members)[1]["resultCode"]


def timed(port, members):
    began = time.monotonic()
    return code_of(port, members), time.monotonic() - began


def test_reads_go_on_while_writes_wait_for_a_lock(url):
    """Eight REVOKEs of a grant that somebody holds: a worker has four threads, one is kept."""
    with psycopg.connect(url) as session, serving(url) as port, ThreadPoolExecutor(9) as pool:
        assert code_of(port, OTHER) == "A277001"
        session.execute("SELECT 1 FROM grant_management_grant WHERE grant_id = 'g-1' FOR UPDATE")
        revokes = [pool.submit(code_of, port, REVOKE) for _ in range(8)]
        with psycopg.connect(url, autocommit=True) as watch:
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            until(lambda: watch.execute(waiting).fetchone()[0] == 3, "the waiting")
            answered = 0
            while not all(one.done() for one in revokes):
                assert code_of(port, OTHER) == "A277001"
                if watch.execute(waiting).fetchone()[0]:
                    answered += 1
        # A handful would do: without a thread for them, they are answered when nobody waits.
        assert answered >= 5
        assert {one.result() for one in revokes} == {"A277103"}
        session.rollback()
        assert code_of(port, REVOKE) == "A277001"


def test_one_thread_of_a_worker_is_kept_for_reads():
    """On each database; settings.py cannot import the number, since the server imports it."""
    for url, threads in (("sqlite://", 2), ("postgresql://h/db", 4)):
        shown = "from gm_project import settings; print(settings.CALLS_AT_ONCE, settings.GRANT_MANAGEMENT['WRITES_AT_ONCE'])"
        assert run(shown, DATABASE_URL=url) == f"{threads} {threads - 1}"


def run(code, **env):
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(**env),
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


IN_FORCE = """
import json, django; django.setup()
from django.db import connection
names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
def show():
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting::int FROM pg_settings WHERE name = ANY(%s)", [list(names)])
        found = dict(cursor.fetchall())
    return [*(found[name] for name in names), connection.connection.answer_timeout]
from gm_project.middleware import LongerStatements
shown = [show()]
try:
    LongerStatements(lambda request: shown.append(show()))(None)
except Exception as error:
    shown.append(type(error).__name__)
print(json.dumps([*shown, show()]))
"""


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({}, REQUESTS),
        ({"DATABASE_FOR": "commands"}, COMMANDS),
        (
            {"DATABASE_TIMEOUTS": "off"},
            REQUESTS._replace(statement=0, lock=0, idle_in_transaction=0),
        ),
    ],
    ids=["requests", "commands", "off"],
)
def test_what_is_in_force(postgresql, env, expected):  # noqa: F811 - a fixture
    """As the server says; and while a page is made, which may take longer, if only there."""
    found = run(
        IN_FORCE,
        DATABASE_URL=postgresql.get_uri(),
        DJANGO_SETTINGS_MODULE="gm_project.settings",
        **env,
    )
    usual = [expected.statement, expected.lock, expected.idle_in_transaction, expected.answer]
    page = [PAGES * 1_000, *usual[1:3], PAGES + 2] if not env else "MiddlewareNotUsed"
    assert json.loads(found) == [usual, page, usual]


def test_what_the_url_says_counts(postgresql):  # noqa: F811 - a fixture
    more = "&options=-c%20statement_timeout%3D9s&answer_timeout=12"
    found = run(
        IN_FORCE,
        DATABASE_URL=postgresql.get_uri() + more,
        DJANGO_SETTINGS_MODULE="gm_project.settings",
    )
    assert json.loads(found)[0] == [9_000, REQUESTS.lock, REQUESTS.idle_in_transaction, 12]


def test_commands_are_not_cut(postgresql):  # noqa: F811 - a fixture
    """manage.py says what it is; also where the role has the bounds of requests."""
    with psycopg.connect(postgresql.get_uri(), autocommit=True) as session:
        session.execute("ALTER ROLE postgres SET statement_timeout = '1s'")
    show = "from django.db import connection as c; k = c.cursor(); k.execute('SHOW statement_timeout'); print(*k.fetchone())"
    url = postgresql.get_uri()
    assert manage("shell", "-v", "0", "-c", show, DATABASE_URL=url).strip() == "0"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("by_driver", [True, False])
@pytest.mark.parametrize(
    "setting",
    ["idle_in_transaction_session_timeout", "transaction_timeout"],
    ids=["25P03", "25P04"],
)
def test_a_transaction_that_takes_too_long(setting, by_driver):
    """Is busy, and not away: the connection alone is ended."""
    connection = primary.connection()
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: --db postgresql")
    one = Statement("SELECT 1")

    def run():
        if by_driver:
            return one.fetch(connection, [])
        with connection.cursor() as cursor:
            return cursor.execute("SELECT 1")

    def take_too_long():
        with primary.atomic():
            run()
            time.sleep(0.5)
            run()

    with connection.cursor() as cursor:
        cursor.execute(f"SET {setting} = '50ms'")
    with pytest.raises((DatabaseError, InterfaceError)) as told:
        take_too_long()
    assert classify(told.value).result is Result.DATABASE_BUSY
    settle(told.value)
    assert one.fetch(connection, []) == (1,)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("usual", "then"), [("1s", "10min"), ("0", "0"), ("20min", "20min")], ids=str
)
def test_a_long_read_is_not_cut(usual, then):
    """It takes its time only where it had less, and gives it back."""
    connection = primary.connection()
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: --db postgresql")

    def shown():
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            return cursor.fetchone()[0]

    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, false)", [usual])
    try:
        with primary.long_read(600):
            assert shown() == then
        assert shown() == usual
    finally:
        connection.close()


BOUND = REQUESTS.answer + REQUESTS.connect
"""Seconds of a call to a frozen database, at most: for an answer, then for another connection."""


def test_a_frozen_database(postgresql, url):  # noqa: F811 - a fixture
    """Every thread comes back; once it is known, calls fail at once; then service returns."""
    with serving(url) as port, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: code_of(port, OTHER), range(16))) == ["A277001"] * 16
        with frozen(postgresql.get_pid()):
            first = list(pool.map(lambda n: timed(port, (OTHER, REVOKE)[n % 2]), range(8)))
            assert {code for code, _ in first} <= {"A277102", "A277103"}
            # Eight calls for four threads: the last four wait for those before them.
            assert max(seconds for _, seconds in first) < 2 * BOUND + 10
            later = list(pool.map(lambda _: timed(port, OTHER), range(40)))
            assert {code for code, _ in later} <= {"A277102", "A277103"}  # behind those that try
            quick = [seconds for _, seconds in later if seconds < 1]
            assert len(quick) >= 30  # but for the few that try
        began = time.monotonic()
        until(lambda: code_of(port, OTHER) == "A277001", "service")
        assert time.monotonic() - began < 15


class Silent:
    """Accepts connections and never says anything, as a frozen database does; counts them."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.accepted = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                self.accepted.append(self.listener.accept()[0])


def test_a_database_that_cannot_be_reached_is_tried_seldom(tmp_path, request):
    """Fifty calls: not fifty times the time to connect."""
    if request.config.getoption("--db") != "postgresql":
        pytest.skip("seen with --db postgresql")
    silent = Silent()
    with serving(f"postgresql://u@127.0.0.1:{silent.port}/db") as port:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: code_of(port, QUERY), range(50)))
        # Those behind the first attempts, which are stuck, are told that the server is busy.
        assert {"A277102"} <= set(answers) <= {"A277102", "A277103"}
        assert 1 <= len(silent.accepted) <= 10
    silent.listener.close()
