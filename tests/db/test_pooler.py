"""Behind PgBouncer in transaction mode: a call's statements meet whatever session is free."""

import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from .. import pgbouncer
from ..gm_project.test_processes import postgresql  # noqa: F401 - a fixture
from ..standalone import API_TOKEN, PATH, QUERY, manage, post, seed, serving

OFF = {"DATABASE_TIMEOUTS": "off"}


@pytest.fixture
def pooled(postgresql):  # noqa: F811 - it is that fixture
    """The URL of a database behind PgBouncer; and that of the database itself."""
    if pgbouncer.program() is None:
        pytest.skip("PgBouncer is not installed")
    folder = Path(tempfile.mkdtemp(prefix="gm-pooler-"))
    info = postgresql.get_postmaster_info()
    process, port = pgbouncer.start(folder, info.socket_dir, size=3, least=3)
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres", postgresql.get_uri()
    finally:
        process.terminate()
        process.wait(timeout=10)
        shutil.rmtree(folder)


def test_each_call_is_answered(pooled, tmp_path):
    """Two servers, eight callers, three sessions behind them: none ever has another's statement."""
    through, direct = pooled
    seed(direct, tmp_path)

    def call(number):
        port = ports[number % 2]
        members = QUERY | ({"accessToken": "t-2"} if number % 3 else {})
        return post(port, PATH, API_TOKEN, members)[1]["resultCode"]

    with serving(through, **OFF) as one, serving(through, **OFF) as two:
        ports = (one, two)
        with ThreadPoolExecutor(8) as pool:
            answered = list(pool.map(call, range(300)))
        assert set(answered) == {"A277001"}
        revoke = QUERY | {"gmAction": "REVOKE"}
        assert post(one, PATH, API_TOKEN, revoke)[1]["action"] == "NO_CONTENT"
        assert post(two, PATH, API_TOKEN, QUERY)[1]["resultCode"] == "A280303"
    lines = manage("export_grants", DATABASE_URL=through, **OFF).splitlines()
    assert any('"grant_id":"g-1"' in line for line in lines)


def test_what_it_rejects_is_told(pooled, tmp_path):
    """With the timeouts as `options`, nothing works behind it; the log says what to set."""
    through, direct = pooled
    seed(direct, tmp_path)
    log = tmp_path / "log"
    with serving(through, log=log) as port:
        for _ in range(3):  # also where the breaker answers
            assert post(port, PATH, API_TOKEN, QUERY)[1]["resultCode"] == "A277102"
    told = [line for line in log.read_text().splitlines() if "A277102" in line]
    lines = [line for line in told if "delivery of events" not in line]  # it looks by itself
    assert len(lines) == 3
    assert all("DATABASE_TIMEOUTS=off" in line for line in lines)


PARAMETERS = {
    "options": "-c statement_timeout=5000",
    "connect_timeout": "3",
    "tcp_user_timeout": "3000",
    "keepalives_idle": "5",
    "application_name": "x",
}


def test_which_parameters_it_rejects(pooled):
    """What the client applies itself passes: only what the server is asked for does not."""
    through, _ = pooled

    def is_taken(name):
        try:
            psycopg.connect(through, **{name: PARAMETERS[name]}).close()
        except psycopg.OperationalError as error:
            return str(error).rpartition("FATAL:  ")[2].strip()
        return True

    assert {name: is_taken(name) for name in PARAMETERS} == {
        "options": "unsupported startup parameter: options",
        "connect_timeout": True,
        "tcp_user_timeout": True,
        "keepalives_idle": True,
        "application_name": True,
    }


def bound(session, seconds):
    """Give the role a timeout; the pooler's sessions begin anew with it."""
    session.execute(f"ALTER ROLE postgres SET statement_timeout = '{seconds}s'")
    session.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    )


def test_the_timeouts_of_a_role_are_in_force_behind_it(pooled):
    """As docs/reference/database.md says for this case."""
    through, direct = pooled
    with psycopg.connect(direct, autocommit=True) as session:
        bound(session, 5)
    with psycopg.connect(through) as session:
        assert session.execute("SHOW statement_timeout").fetchone() == ("5s",)


COUNT = """
from django.db import connection
from grant_management.models import DailyCount
from grant_management.models.daily_count import Tally
Tally.count_live()
print(DailyCount.objects.live().get().number)
print(connection.connection.answer_timeout)
"""


def test_the_count_of_active_grants_takes_its_time_behind_it(pooled, tmp_path):
    """It reads a whole table, for longer than the role's timeout and than an answer may take. The
    next client has the role's again.
    """
    through, direct = pooled
    seed(direct, tmp_path)
    with psycopg.connect(direct, autocommit=True) as session:
        session.execute("ALTER TABLE grant_management_grant RENAME TO kept")
        session.execute(
            "CREATE VIEW grant_management_grant AS"
            " SELECT kept.* FROM kept, (SELECT pg_sleep(6)) AS late"
        )
        bound(session, 3)
    said = manage(
        "shell", "-v", "0", "-c", COUNT, DATABASE_URL=f"{through}?answer_timeout=4", **OFF
    )
    assert said.split() == ["1", "4"]
    with psycopg.connect(through) as session:
        assert session.execute("SHOW statement_timeout").fetchone() == ("3s",)
