"""`doctor`: one finding for each fault, with what to do; silent where all is well."""

import json
import re
import subprocess
import sys
import sysconfig
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from gm_project import checks as of_project
from grant_management.management.advice import ADVICE

from ..db.test_pooler import pooled  # noqa: F401 - a fixture
from ..gm_project.test_processes import postgresql  # noqa: F401 - a fixture of that fixture
from ..ours import OURS, connection
from ..standalone import ROOT, environment, free_port, manage, serving
from ..world import make_world, now

KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
TIMEOUTS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def production(settings, monkeypatch):
    """A deployment in which all is well; PostgreSQL's timeouts are those of this connection."""
    monkeypatch.setenv("SECRET_KEY", KEY)
    monkeypatch.setenv("ALLOWED_HOSTS", "gm.example.com")
    settings.SECRET_KEY, settings.ALLOWED_HOSTS = KEY, ["gm.example.com"]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_HSTS_SECONDS = 31_536_000
    built(monkeypatch, "'--enable-optimizations' '--with-lto'")
    set_timeouts(5_000, *TIMEOUTS)
    yield settings
    set_timeouts(0, *TIMEOUTS)


def built(monkeypatch, arguments):
    monkeypatch.setattr(sysconfig, "get_config_var", {"CONFIG_ARGS": arguments}.get)


def set_timeouts(milliseconds, *names):
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for name in names:
                cursor.execute(f"SET {name} = {milliseconds}")


def doctor(*arguments):
    """The exit code, and the findings by their ids."""
    said, code = StringIO(), 0
    try:
        call_command("doctor", "--json", *arguments, stdout=said)
    except SystemExit as end:
        code = end.code
    findings = {one["id"]: one for one in json.loads(said.getvalue())["findings"]}
    assert (code == 1) is bool(findings)
    return findings


def test_all_is_well(production, capsys):
    assert doctor("--workers", "1") == {}
    call_command("doctor", "--workers", "1")
    assert capsys.readouterr().out == "Nothing is wrong, as far as can be seen here.\n"


SETTINGS = {
    "grant_management.W007": {"DEBUG": True},
    "grant_management.W008": {"SECRET_KEY": KEY[:49]},
    "grant_management.W009": {"ALLOWED_HOSTS": ["gm.example.com", "*"]},
    "grant_management.W010": {"CSRF_COOKIE_SECURE": False},
    "grant_management.W011": {"SECURE_HSTS_SECONDS": 0},
    "grant_management.W012": {"GRANT_MANAGEMENT": {"THROTTLE_RATE": "10/s"}},
    "gm_project.W003": {"SECURE_PROXY_SSL_HEADER": None},
}


@pytest.mark.parametrize("number", SETTINGS)
def test_settings(production, number):
    for name, value in SETTINGS[number].items():
        setattr(production, name, value)
    (found,) = doctor("--workers", "1").values()
    advice = ADVICE | {f"gm_project.{key}": text for key, text in of_project.ADVICE.items()}
    assert found["id"] == number
    assert found["hint"] == advice[number.removeprefix("grant_management.")]


@pytest.mark.parametrize("value", ["aab" * 30, f"django-insecure-{KEY}"])
def test_weak_keys(production, value):
    production.SECRET_KEY = value
    assert set(doctor("--workers", "1")) == {"grant_management.W008"}


def test_a_shared_cache_may_throttle(production):
    production.GRANT_MANAGEMENT = {"THROTTLE_RATE": "10/s"}
    production.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://",
        }
    }
    assert doctor("--workers", "1") == {}


@pytest.mark.parametrize(("name", "number"), [("SECRET_KEY", "W001"), ("ALLOWED_HOSTS", "W002")])
def test_the_environment(production, monkeypatch, tmp_path, name, number):
    production.BASE_DIR = tmp_path
    monkeypatch.delenv(name)
    assert set(doctor("--workers", "1")) == {f"gm_project.{number}"}
    (tmp_path / ".secret_key").touch()  # as run.py serve makes it
    assert bool(doctor("--workers", "1")) is (name == "ALLOWED_HOSTS")


@pytest.mark.parametrize(
    ("arguments", "prefix", "found"),
    [
        ("'--prefix=/opt/python'", "/opt/python", {"grant_management.W013"}),
        ("'--enable-optimizations'", "/opt/python", set()),
        ("'--enable-shared'", "/usr", set()),  # Debian's
        (None, "C:\\Python", set()),
    ],
)
def test_how_python_was_built(production, monkeypatch, arguments, prefix, found):
    built(monkeypatch, arguments)
    monkeypatch.setattr(sys, "base_prefix", prefix)
    assert set(doctor("--workers", "1")) == found


def test_sqlite_with_several_workers(production):
    found = {"grant_management.W014"} if connection.vendor == "sqlite" else set()
    assert set(doctor("--workers", "2")) == found
    assert set(doctor("--workers", "1", "--servers", "2")) == found


def test_a_purge_that_does_not_run(production):
    world = make_world()
    world.token(world.grant(), expires_at=now() - timedelta(hours=5))
    assert doctor("--workers", "1") == {}
    world.token(world.grant(), expires_at=now() - timedelta(hours=7))
    assert set(doctor("--workers", "1")) == {"grant_management.W015"}
    call_command("purge_expired", verbosity=0)
    assert doctor("--workers", "1") == {}


@pytest.mark.parametrize("name", TIMEOUTS)
def test_a_timeout_that_is_off(production, name):
    if connection.vendor != "postgresql":
        pytest.skip("about PostgreSQL")
    set_timeouts(0, name)
    (found,) = doctor("--workers", "1").values()
    assert found["id"] == "grant_management.W017"
    assert [one for one in TIMEOUTS if one in found["message"].replace("idle_in", " idle_in")] == [
        name
    ]


def test_more_connections_than_there_are(production):
    if connection.vendor != "postgresql":
        pytest.skip("about PostgreSQL")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('max_connections')::int")
        limit = cursor.fetchone()[0]
    assert doctor("--workers", str(limit // 10), "--threads", "4") == {}
    many = doctor("--workers", str(limit // 10), "--threads", "4", "--servers", "2")
    assert set(many) == {"grant_management.W018"}
    assert f"open {limit // 10 * 2 * 5} connections" in many["grant_management.W018"]["message"]


def test_a_role_with_a_limit(production):
    if connection.vendor != "postgresql":
        pytest.skip("about PostgreSQL")
    with connection.cursor() as cursor:
        cursor.execute("ALTER ROLE CURRENT_USER CONNECTION LIMIT 7")
        try:
            found = doctor("--workers", "2", "--threads", "3")
        finally:
            cursor.execute("ALTER ROLE CURRENT_USER CONNECTION LIMIT -1")
    assert "open 8 connections; PostgreSQL takes 7." in found["grant_management.W018"]["message"]


def test_a_finding_can_be_silenced(production):
    production.SECURE_HSTS_SECONDS = 0
    production.SILENCED_SYSTEM_CHECKS = ["grant_management.W011"]
    assert doctor("--workers", "1") == {}


def test_migrations(production):
    from django.db.migrations.recorder import MigrationRecorder

    rows = MigrationRecorder(connection).migration_qs.using(OURS)
    last = rows.filter(app="grant_management").order_by("-name").first()
    last.delete()
    try:
        assert set(doctor("--workers", "1")) == {"grant_management.E018"}
    finally:
        last.save(force_insert=True)


def run(database_url, *arguments, **env):
    """As an operator runs it: the exit code, and the lines."""
    line = [sys.executable, "manage.py", "doctor", *arguments]
    env = environment(DATABASE_URL=database_url, **env)
    done = subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def test_a_database_that_is_away():
    """Its address and the driver's text are not shown; the rest is found all the same."""
    url = f"postgresql://someone:secret@127.0.0.1:{free_port()}/grants"
    code, lines = run(url, SECRET_KEY=KEY)
    assert (code, lines[0].partition(":")[0]) == (1, "grant_management.E017")
    assert "gm_project.W002" in "\n".join(lines)
    assert not re.search(r"someone|secret|127\.0\.0\.1|refused", "\n".join(lines))


def test_server_side_cursors_behind_a_pooler(pooled):  # noqa: F811
    through, direct = pooled
    manage("migrate", "-v", "0", DATABASE_URL=direct)
    env = {"DATABASE_TIMEOUTS": "off"}
    assert "DATABASE_TIMEOUTS=off" in run(through)[1][0]  # the pooler rejects what asks for them
    assert "grant_management.W016" in "\n".join(run(through, **env)[1])
    assert "grant_management.W018" not in "\n".join(run(through, "--workers", "1000", **env)[1])
    assert "grant_management.W016" not in "\n".join(run(direct)[1])
    with serving(through, **env) as port:  # and the pooler's own sessions are no fault of /readyz
        from ..gm_project.test_health import becomes

        becomes(port, [])


def test_every_check_is_in_the_document():
    """With what to do, word by word, in the order of the numbers."""
    text = (ROOT / "docs" / "reference" / "checks.md").read_text()
    text = text.partition("## Of a deployment")[2]
    rows = re.findall(
        r"^\| `(grant_management|gm_project)\.([WE]\d+)`(?: \*)? \|.*\| (.+) \|$", text, re.M
    )
    documented = {key: [] for key in ("grant_management", "gm_project")}
    for app, number, advice in rows:
        documented[app].append((number, advice))
    assert documented["grant_management"] == list(ADVICE.items())
    assert documented["gm_project"] == list(of_project.ADVICE.items())


def test_every_piece_of_advice_is_given():
    package = Path(ROOT, "grant_management")
    code = "".join(path.read_text() for path in package.rglob("*.py"))
    assert set(re.findall(r'\bfound\("([WE]\d+)"', code)) == set(ADVICE)
    code = Path(of_project.__file__).read_text()
    assert set(re.findall(r'_found\("([WE]\d+)"', code)) == set(of_project.ADVICE)
