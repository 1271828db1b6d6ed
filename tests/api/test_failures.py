"""Errors of the database, told apart: to callers, to operators, to the log; and what is left."""

import contextlib
import itertools
import json
import logging
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
    connection,
    connections,
)
from django.test import Client as HTTP
from django.urls import reverse

from grant_management.db import failures as db_failures
from grant_management.db import primary
from grant_management.db.commits import NoStandby, OutcomeUnknown
from grant_management.db.failures import classify
from grant_management.db.write_slots import NoWriteSlot
from grant_management.fields.reading import JSON
from grant_management.models import Grant, Sweep
from grant_management.protocol.results import Result

from ..postgresql import start as start_postgresql
from ..standalone import (
    API_TOKEN,
    PATH,
    QUERY,
    ROOT,
    environment,
    host_settings,
    post,
    seed,
    serving,
)
from ..world import make_world
from .test_bodies import BODIES, Door, send

SECRET = "a-value-of-a-row"
AWAY, BUSY, CONFLICT, BUG = (
    Result.DATABASE_AWAY,
    Result.DATABASE_BUSY,
    Result.DATABASE_CONFLICT,
    Result.SERVER_FAILED,
)
SQLSTATES = {
    "08003": (AWAY, True),
    "08006": (AWAY, True),
    "57P01": (AWAY, True),
    "57P02": (AWAY, True),
    "57P03": (AWAY, True),
    "57P05": (AWAY, True),
    "58030": (AWAY, True),
    "25006": (AWAY, True),
    "53100": (AWAY, False),
    "53300": (BUSY, True),
    "53200": (BUSY, False),
    "55P03": (BUSY, False),
    "57014": (BUSY, False),
    "25P03": (BUSY, True),
    "40001": (CONFLICT, False),
    "40P01": (CONFLICT, False),
    "22001": (BUG, False),
    "22003": (BUG, False),
    "23505": (BUG, False),
    "42P01": (BUG, False),
    "42501": (BUG, False),
    "25P02": (BUG, False),
    "0A000": (BUG, False),
    "XX000": (BUG, False),
}
SQLITE = {
    "SQLITE_READONLY": (AWAY, True),
    "SQLITE_READONLY_DBMOVED": (AWAY, True),
    "SQLITE_CANTOPEN": (AWAY, True),
    "SQLITE_IOERR_READ": (AWAY, True),
    "SQLITE_NOTADB": (AWAY, True),
    "SQLITE_FULL": (AWAY, False),
    "SQLITE_BUSY": (BUSY, False),
    "SQLITE_BUSY_RECOVERY": (BUSY, False),
    "SQLITE_LOCKED": (BUSY, False),
    "SQLITE_BUSY_SNAPSHOT": (CONFLICT, False),
    "SQLITE_ERROR": (BUG, False),
    "SQLITE_CONSTRAINT_UNIQUE": (BUG, False),
    "SQLITE_TOOBIG": (BUG, False),
}


def of_postgresql(state):
    """As Django raises it: of the class that psycopg's has, and from that."""
    cause = psycopg.errors.lookup(state)(SECRET)
    kinds = (OperationalError, DataError, IntegrityError, InternalError, ProgrammingError)
    names = {one.__name__ for one in type(cause).__mro__}
    error = next((one for one in kinds if one.__name__ in names), DatabaseError)(SECRET)
    error.__cause__ = cause
    return error


def of_sqlite(name):
    cause = sqlite3.OperationalError(SECRET)
    cause.sqlite_errorcode, cause.sqlite_errorname = getattr(sqlite3, name), name
    error = OperationalError(SECRET)
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(("state", "expected"), SQLSTATES.items())
def test_sqlstates(state, expected):
    error = of_postgresql(state)
    for one in (error, error.__cause__):
        failure = classify(one)
        assert (failure.result, failure.closes) == expected


@pytest.mark.parametrize(("name", "expected"), SQLITE.items())
def test_codes_of_sqlite(name, expected):
    failure = classify(of_sqlite(name))
    assert (failure.result, failure.closes) == expected


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (OperationalError("connection failed: Connection refused"), AWAY),
        (OperationalError("the connection is lost"), AWAY),
        (InterfaceError("connection already closed"), AWAY),
        (OperationalError("connection failed: FATAL:  sorry, too many clients already"), BUSY),
        (OperationalError('FATAL:  too many connections for role "x"'), BUSY),
        (OperationalError("FATAL:  remaining connection slots are reserved"), BUSY),
        (DataError("cannot contain NUL"), BUG),
        (ProgrammingError("x"), BUG),
        (ValueError("too many clients"), BUG),
    ],
)
def test_errors_without_a_code(error, result):
    """libpq tells no SQLSTATE of a connection that is refused."""
    assert classify(error).result is result


def test_each_failure_has_a_kind_of_its_own():
    """Metrics count by it: what is no bug is not counted as one."""
    failures = [one for one in vars(db_failures).values() if isinstance(one, db_failures.Failure)]
    kinds = [one.kind for one in failures]
    assert len(kinds) == len(set(kinds)) > 10
    bugs = {one.kind for one in failures if one.is_bug}
    assert bugs == {"bug", "not_migrated"}
    assert classify(NoStandby()).kind == "no_standby"
    assert classify(OutcomeUnknown()).kind == "unknown"
    assert classify(NoWriteSlot()).kind == "no_slot"


@contextlib.contextmanager
def failing(error):
    """Every statement of Django's connections fails like this."""

    def fail(execute, sql, params, many, context):
        raise error

    with contextlib.ExitStack() as stack:
        for one in connections.all():
            stack.enter_context(one.execute_wrapper(fail))
        yield


KINDS = {
    "away": ("57P01", AWAY, "DATABASE_URL"),
    "read-only": ("25006", AWAY, "primary"),
    "full": ("53100", AWAY, "disk"),
    "busy": ("55P03", BUSY, "lock"),
    "slow": ("57014", BUSY, "timeout"),
    "crowded": ("53300", BUSY, "connections"),
    "conflict": ("40001", CONFLICT, "transaction"),
    "bug": ("22001", BUG, "bug"),
}
AUTHLETES = ("gm", "auth/", "client/", "service/")
"""What the paths of Authlete's operations begin with."""


@pytest.fixture
def lines(caplog):
    """The lines that the log got since it was last asked."""
    caplog.set_level(logging.WARNING)

    def taken():
        said = [line for record in caplog.records for line in shown(record).splitlines()]
        caplog.clear()
        return said

    return taken


def shown(record):
    """With the traceback, where it has one."""
    return logging.Formatter("%(message)s").format(record)


@pytest.mark.parametrize(("state", "result", "advice"), KINDS.values(), ids=KINDS)
def test_every_route(world, lines, state, result, advice):
    """500 where Authlete's clients call, else 503 where it helps; one line that says what to do."""
    doors = [Door(world, route) for route in BODIES]
    with failing(of_postgresql(state)):
        answers = {door.route: send(door, door.body(JSON)) for door in doors}
        for path in (
            f"/gm/{world.service.pk}/x",
            f"/.well-known/oauth-authorization-server/{world.service.pk}",
        ):
            for method in ("GET", "HEAD"):
                answers[method + path] = HTTP().generic(method, path)
    for route, answer in answers.items():
        status = 500 if route.startswith(AUTHLETES) or result is BUG else 503
        assert answer.status_code == status, route
        assert ("Retry-After" in answer) == (status == 503)
        assert int(answer.get("Retry-After", 1)) > 0
        assert answer["Cache-Control"] == "no-store"
        if not route.startswith("HEAD"):
            members = json.loads(answer.content)
            assert (members["resultCode"], members["action"]) == (result.code, "AUTHLETE_ERROR")
    said = lines()
    told = [line for line in said if result.code in line and advice in line]
    assert len(told) == len(answers)
    assert SECRET not in str(said)
    if result is not BUG:
        assert len(said) == len(told)


def test_database_that_was_not_migrated(world, lines):
    """A bug to the caller; the operator is told what is missing."""
    with primary.connection().cursor() as cursor:
        cursor.execute("ALTER TABLE grant_management_client RENAME TO elsewhere")
    headers = {"HTTP_AUTHORIZATION": f"Bearer {world.api_token}"}
    path = f"/api/{world.service.pk}/grants/list"
    answer = HTTP().post(path, {"subject": "x"}, content_type=JSON, **headers)
    assert (answer.status_code, answer.json()["resultCode"]) == (500, "A277101")
    assert "migrate" in lines()[0]


class Middleware:
    """A host's, that asks the database before the app's views."""

    error = None

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        raise self.error


@pytest.mark.parametrize("state", ["57P01", "55P03", "40001"])
def test_failure_before_the_views(world, lines, settings, state):
    place = settings.MIDDLEWARE.index("grant_management.middleware.JSONErrorsMiddleware") + 1
    settings.MIDDLEWARE = settings.MIDDLEWARE[:]
    settings.MIDDLEWARE.insert(place, "tests.api.test_failures.Middleware")
    Middleware.error, code = of_postgresql(state), SQLSTATES[state][0].code
    http = HTTP(raise_request_exception=False)
    for path, status in (
        (f"/api/{world.service.pk}/gm", 500),
        (f"/api/{world.service.pk}/grants", 503),
    ):
        answer = http.post(path, {}, content_type=JSON)
        assert (answer.status_code, answer.json()["resultCode"]) == (status, code)
        (line,) = lines()
        assert code in line
        assert SECRET not in line
    Middleware.error = of_postgresql("22001")
    answer = http.post(path, {}, content_type=JSON)
    assert (answer.status_code, answer.json()["resultCode"]) == (500, "A277101")


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(("state", "result", "advice"), KINDS.values(), ids=KINDS)
def test_pages(world, admin_client, lines, settings, debug, state, result, advice):
    """Not a traceback, and no value, wherever the error is."""
    settings.DEBUG = debug
    names = ["admin:index", "admin:grant_management_grant_changelist", "admin:auth_user_changelist"]
    with failing(of_postgresql(state)):
        answers = [admin_client.get(reverse(name)) for name in names]
        answers.append(
            admin_client.post(reverse("admin:login"), {"username": "x", "password": "y"})
        )
    assert {answer.status_code for answer in answers} == {500 if result is BUG else 503}
    for answer in answers:
        assert answer["Content-Type"].startswith("text/plain")
        assert result.code in answer.content.decode()
        assert "Traceback" not in answer.content.decode()
    said = lines()
    assert SECRET not in str(said) + str([answer.content for answer in answers])
    assert len([line for line in said if advice in line]) == len(answers)
    if result is not BUG:
        assert len(said) == len(answers)


def test_other_pages_of_a_host_are_its_own(world, admin_client, settings):
    """With the app's middleware alone, as a host has it."""
    settings.MIDDLEWARE = [one for one in settings.MIDDLEWARE if not one.startswith("gm_project")]
    admin_client.raise_request_exception = False
    with failing(of_postgresql("40001")):
        ours = admin_client.get(reverse("admin:grant_management_grant_changelist"))
        theirs = admin_client.get(reverse("admin:auth_user_changelist"))
    assert (ours.status_code, theirs.status_code) == (503, 500)
    assert "A277104" in ours.content.decode()
    assert "A277104" not in theirs.content.decode()


COMMANDS = [
    ("create_organization", "x"),
    ("create_service", "--organization", 1, "--name", "x"),
    ("issue_api_token", "--service", 1),
    ("lock_client", "--service", 1, "--client", "x"),
    ("set_cut_off", "--service", 1),
    ("revoke_grants", "--service", 1, "--subject", "x"),
    ("purge_expired",),
    ("export_grants",),
]


@pytest.mark.parametrize(("state", "result", "advice"), KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_commands(db, lines, command, state, result, advice):
    with failing(of_postgresql(state)), pytest.raises(CommandError) as told:
        call_command(*map(str, command))
    assert f"[{result.code}]" in str(told.value)
    assert advice in str(told.value)
    assert SECRET not in str(told.value) + str(lines())
    assert told.value.__suppress_context__


@pytest.mark.parametrize("option", ["--scope", "--subject", "--authorization-type"])
@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_filter_of_more_characters_than_there_can_be(world, option, dry):
    """On PostgreSQL it was an error of the database, with a traceback."""
    service = str(world.service.pk)
    with pytest.raises(CommandError, match="255 characters"):
        call_command("revoke_grants", "--service", service, option, "x" * 256, *dry)
    assert not Sweep.objects.exists()
    call_command("revoke_grants", "--service", service, option, "x" * 255, *dry)


@pytest.mark.parametrize("member", ["scope", "subject", "authorization_type"])
def test_the_same_in_the_admin(world, admin_client, member):
    values = {"service": world.service.pk, member: "x" * 256}
    answer = admin_client.post(reverse("admin:grant_management_sweep_check"), values)
    assert answer.status_code == 200
    assert b"255" in answer.content


class TestConnection:
    """What is left of it, by real errors of PostgreSQL."""

    @pytest.fixture(autouse=True)
    def world(self, transactional_db):
        if primary.connection().vendor != "postgresql":
            pytest.skip("needs PostgreSQL: --db postgresql")
        return make_world()

    @pytest.fixture
    def revoke(self, world):
        grant = world.grant()
        members = {
            "gmAction": "REVOKE",
            "grantId": grant.grant_id,
            "accessToken": world.token(grant),
        }

        def send():
            headers = {"Authorization": f"Bearer {world.api_token}"}
            answer = HTTP().post(
                f"/api/{world.service.pk}/gm", members, content_type=JSON, headers=headers
            )
            return answer.status_code, answer.json()["resultCode"]

        return send

    @pytest.fixture
    def other(self):
        """Somebody else's connection."""
        parameters = primary.connection().get_connection_params()
        kept = {
            name: parameters[name]
            for name in ("dbname", "user", "host", "port")
            if name in parameters
        }
        with psycopg.connect(**kept, autocommit=True) as other:
            yield other

    def set(self, setting):
        with primary.connection().cursor() as cursor:
            cursor.execute(f"SET {setting}")

    def test_read_only(self, revoke):
        """As after a failover: closed, so that the next request finds the new primary."""
        self.set("default_transaction_read_only = on")
        assert revoke() == (500, "A277102")
        assert primary.connection().connection is None
        assert revoke() == (200, "A277001")

    @pytest.mark.parametrize("setting", ["lock_timeout = '50ms'", "statement_timeout = '50ms'"])
    def test_busy(self, revoke, other, setting):
        """Rolled back, and good for the next."""
        self.set(setting)
        with other.transaction():
            other.execute("SELECT 1 FROM grant_management_grant FOR UPDATE")
            assert revoke() == (500, "A277103")
            assert primary.connection().connection is not None
            assert primary.connection().connection.info.transaction_status.name == "IDLE"
            assert Grant.objects.get().revoked_at is None
        self.set("statement_timeout = 0")
        assert revoke() == (200, "A277001")

    @pytest.mark.parametrize(
        ("state", "code", "tries"),
        [
            ("40P01", "A277104", 4),
            ("40001", "A277104", 4),
            ("55P03", "A277103", 1),
            ("53100", "A277102", 1),
            ("22001", "A277101", 1),
            ("42P01", "A277101", 1),
        ],
    )
    def test_conditions(self, revoke, other, state, code, tries):
        """Raised by a trigger; what can be tried again was tried again."""
        other.execute("CREATE SEQUENCE tried")
        other.execute(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" PERFORM nextval('tried'); RAISE EXCEPTION '{SECRET}' USING ERRCODE = '{state}'; END $$"
        )
        other.execute(
            "CREATE TRIGGER fail BEFORE INSERT ON grant_management_grantevent"
            " FOR EACH ROW EXECUTE FUNCTION fail()"
        )
        try:
            assert revoke() == (500, code)
            assert other.execute("SELECT last_value FROM tried").fetchone() == (tries,)
            assert primary.connection().connection.info.transaction_status.name == "IDLE"
            assert Grant.objects.get().revoked_at is None
        finally:
            other.execute("DROP FUNCTION fail CASCADE; DROP SEQUENCE tried")
        assert revoke() == (200, "A277001")

    def test_session_that_was_ended(self, revoke, other):
        """In the middle of a call: refused once, and the next call has a connection of its own."""
        process = primary.connection().connection.info.backend_pid
        other.execute(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF pg_backend_pid() = {process} THEN PERFORM pg_terminate_backend({process}); END IF;"
            " RETURN NEW; END $$;"
            "CREATE TRIGGER fail BEFORE INSERT ON grant_management_grantevent"
            " FOR EACH ROW EXECUTE FUNCTION fail()"
        )
        try:
            assert revoke() == (500, "A277102")
            assert primary.connection().connection is None
            assert revoke() == (200, "A277001")
        finally:
            other.execute("DROP FUNCTION fail CASCADE")


@pytest.fixture(scope="module")
def postgresql():
    """A database server of its own, with a small world."""
    folder = Path(tempfile.mkdtemp(prefix="gm-failures-"))
    server = start_postgresql(folder)
    seed(server.get_uri(), folder)
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


GRANT = "/api/1001/grants/g-1/merge"
MERGE = {"scopes": [{"scope": "email"}]}


class TestServers:
    """Real ones: what they answer, and every line that they write meanwhile."""

    @pytest.fixture
    def log(self, tmp_path):
        return tmp_path / "log"

    def check(self, port, log, code, *words):
        """Refused on Authlete's route and on ours, with one line each, which says this."""
        before = len(of_calls(log))
        revoke = QUERY | {"gmAction": "REVOKE"}
        calls = [(PATH, revoke, 500), (GRANT, MERGE, 503)] * 2
        for path, members, status in calls:
            got, answer = post(port, path, API_TOKEN, members)
            assert (got, answer["resultCode"]) == (status, code)
        said = of_calls(log)[before:]
        assert len(said) == len(calls), said
        for line in said:
            assert all(word in line for word in words), line

    def test_postgresql(self, request, log):
        if connection.vendor != "postgresql":
            pytest.skip("needs PostgreSQL: --db postgresql")
        server = request.getfixturevalue("postgresql")
        url = server.get_uri()
        with serving(url, log=log) as port, psycopg.connect(url, autocommit=True) as other:
            assert post(port, PATH, API_TOKEN, QUERY)[0] == 200
            other.execute("ALTER SYSTEM SET default_transaction_read_only = on")
            other.execute("SELECT pg_reload_conf()")
            wait_until(other, "SHOW default_transaction_read_only", "on")
            self.check(port, log, "A277102", "25006", "primary")
            assert post(port, PATH, API_TOKEN, QUERY)[0] == 200
            other.execute("ALTER SYSTEM RESET default_transaction_read_only")
            other.execute("SELECT pg_reload_conf()")
            wait_until(other, "SHOW default_transaction_read_only", "off")
            assert post(port, GRANT, API_TOKEN, MERGE)[0] == 200
            server.stop()
            self.check(port, log, "A277102", "DATABASE_URL")
            server.start()
            assert post(port, GRANT, API_TOKEN, MERGE)[0] == 200

    def test_crowded_postgresql(self, request, log):
        if connection.vendor != "postgresql":
            pytest.skip("needs PostgreSQL: --db postgresql")
        url = request.getfixturevalue("postgresql").get_uri()
        with psycopg.connect(url, autocommit=True) as other:
            other.execute("CREATE ROLE crowded LOGIN CONNECTION LIMIT 0")
        with serving(url.replace("//postgres:", "//crowded:"), log=log) as port:
            self.check(port, log, "A277103", "connections")

    @pytest.fixture
    def sqlite(self, tmp_path):
        url = f"sqlite:///{tmp_path / 'own.sqlite3'}"
        seed(url, tmp_path)
        return url

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"init_command": "PRAGMA query_only = 1"}, ("SQLITE_READONLY", "primary")),
            ({"init_command": "PRAGMA max_page_count = 1"}, ("SQLITE_FULL", "disk")),
        ],
    )
    def test_sqlite(self, sqlite, log, options, words):
        big = {"scopes": [{"scope": f"s-{number}"} for number in range(2_000)]}
        env = host_settings(DATABASE_OPTIONS=options)
        with serving(sqlite, log=log, **env) as port:
            assert post(port, PATH, API_TOKEN, QUERY)[0] == 200
            for path, members in ((GRANT, big), ("/api/1001/grants/g-1/replace", big)):
                status, answer = post(port, path, API_TOKEN, members)
                assert (status, answer["resultCode"]) == (503, "A277102")
            said = of_calls(log)
        assert len(said) == 2
        assert all(word in line for word in words for line in said)

    def test_sqlite_that_somebody_else_writes_to(self, sqlite, log):
        env = host_settings(DATABASE_OPTIONS={"timeout": 0.1})
        with serving(sqlite, log=log, **env) as port:
            other = sqlite3.connect(sqlite.removeprefix("sqlite:///"), isolation_level=None)
            with contextlib.closing(other):
                other.execute("BEGIN IMMEDIATE")
                self.check(port, log, "A277103", "SQLITE_BUSY")
                other.execute("ROLLBACK")
            assert post(port, GRANT, API_TOKEN, MERGE)[0] == 200

    def test_sqlite_that_is_not_there(self, tmp_path, log):
        with serving(f"sqlite:///{tmp_path / 'nowhere' / 'x.sqlite3'}", log=log) as port:
            self.check(port, log, "A277102", "SQLITE_CANTOPEN", "DATABASE_URL")

    @pytest.mark.parametrize("url", ["postgres://u:{SECRET}@127.0.0.1:1/x", "sqlite:////no/x"])
    def test_command_without_a_database(self, url):
        line = [sys.executable, "manage.py", "lock_client", "--service", "1", "--client", "x"]
        env = environment(DATABASE_URL=url.format(SECRET=SECRET))
        done = subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (1, "")
        (said,) = done.stderr.splitlines()
        assert re.match(r"CommandError: \[A277102\] OperationalError.* DATABASE_URL", said)
        assert SECRET not in said


def of_calls(log):
    """The lines of a log that tell of calls: beside them the server stores and sends by itself."""
    aside = ("note of an API token's use", "delivery of events")
    return [line for line in log.read_text().splitlines() if not any(one in line for one in aside)]


def wait_until(other, statement, value):
    """A setting is read again some moments after the signal."""
    for _ in itertools.count():
        if other.execute(statement).fetchone()[0] == value:
            return
