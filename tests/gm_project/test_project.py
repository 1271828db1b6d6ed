"""The project itself: the two commands of README.md, its locks, its server's refusals."""

import json
import re
import subprocess
import sys

import pytest

from grant_management.conf import Settings

from ..docs.pages import typed
from ..standalone import ROOT, environment, free_port, manage
from ..world import make_world

PYTHON = sys.executable


def run(*arguments, **env):
    done = subprocess.run(
        [PYTHON, "run.py", *arguments],
        cwd=ROOT,
        env=environment(**env),
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.returncode, done.stdout + done.stderr


def test_demo_once():
    """Every call as it should be; and again with the same port, whose database is there now."""
    port = free_port()
    _python, _program, *arguments = typed("../README.md", "python3 run.py demo").split()
    for _ in range(2):
        code, said = run(*arguments, "--once", "--port", str(port))
        assert code == 0, said
        assert "Every call was answered as it should." in said
        assert f"Real calls to http://127.0.0.1:{port}\n" in said
        for title in (
            "QUERY with a bearer token",
            "DPoP proof",
            "nonce",
            "Refused",
            "REVOKE",
            "NOT_FOUND",
            "✓ The revoke arrives at a webhook, whose signature fits",
            "type: grant.revoked",
        ):
            assert title in said


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("code", "passed"), [("A277001", True), ("A283301", False)])
def test_demo_follows_the_answers(live_server, capsys, code, passed):
    """One call that is not answered as it should is enough to fail."""
    from gm_project.demo.data import DemoData, Step
    from gm_project.demo.program import _call_all
    from gm_project.serving.children import Noted

    world = make_world()
    grant = world.grant()
    body = {"gmAction": "QUERY", "grantId": grant.grant_id, "accessToken": world.token(grant)}
    steps = [Step("a call", lambda nonce: body, ("OK", code))]
    data = DemoData(
        f"/api/{world.service.pk}/gm", world.api_token, "", "", "", "", steps, lambda action: {}
    )
    assert _call_all(int(live_server.url.rpartition(":")[2]), data, Noted()) is passed
    assert ("Not every call" in capsys.readouterr().out) is not passed


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "example.com", "192.0.2.1"])
def test_serve_in_the_open_needs_a_key_of_its_own(host):
    code, said = run("serve", "--host", host)
    assert code == 1
    assert "SECRET_KEY" in said


def test_locks_hold_hashes_and_no_address():
    locks = [*ROOT.glob("*.lock"), *ROOT.glob("**/package-lock.json")]
    locks = [
        lock for lock in locks if "node_modules" not in lock.parts and ".venv" not in lock.parts
    ]
    assert len(locks) >= 2
    for lock in locks:
        text = lock.read_text()
        assert not re.search(r"https?:|file:|--index|--find-links", text), lock
        if lock.suffix == ".lock":
            pinned = re.findall(r"^[a-z][^=\n]*==", text, re.M)
            assert len(pinned) > 10
            assert text.count("--hash=sha256:") >= len(pinned)


def test_unknown_arguments_are_refused():
    code, said = run("serve", "--prot", "8000")
    assert code == 2
    assert "unrecognized" in said


def test_settings_are_safe_by_default():
    probe = "import django; from django.conf import settings as s; django.setup(); print(s.DEBUG, s.ALLOWED_HOSTS, len(s.SECRET_KEY) > 50)"
    done = subprocess.run(
        [PYTHON, "-c", probe],
        cwd=ROOT,
        env=environment(DJANGO_SETTINGS_MODULE="gm_project.settings"),
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "False ['localhost', '127.0.0.1', '[::1]'] True"


def test_settings_from_the_environment():
    probe = "from django.conf import settings as s; print(s.DEBUG, s.ALLOWED_HOSTS, s.SECRET_KEY, s.SECURE_PROXY_SSL_HEADER, s.CSRF_TRUSTED_ORIGINS, s.SESSION_COOKIE_SECURE)"
    env = environment(
        DJANGO_SETTINGS_MODULE="gm_project.settings",
        DEBUG="true",
        ALLOWED_HOSTS="a.example, b.example",
        SECRET_KEY="k",
        SECURE_PROXY_SSL_HEADER="X-Forwarded-Proto,https",
        CSRF_TRUSTED_ORIGINS="https://a.example",
    )
    done = subprocess.run([PYTHON, "-c", probe], cwd=ROOT, env=env, capture_output=True, text=True)
    assert (
        done.stdout.strip()
        == "True ['a.example', 'b.example'] k ('HTTP_X_FORWARDED_PROTO', 'https') ['https://a.example'] True"
    )


@pytest.mark.parametrize(
    ("value", "code", "words"),
    [
        ("", 0, "no issues"),
        ('{"TRUSTED_PROXIES": ["127.0.0.1"]}', 0, "no issues"),
        ("{", 1, "The environment variable GRANT_MANAGEMENT must be JSON."),
        ("[]", 1, "grant_management.E001"),
        ('{"TRUSTED_PROXY": []}', 1, "grant_management.E002"),
        ('{"MAX_BODY_SIZE": "1"}', 1, "grant_management.E003"),
    ],
)
def test_settings_of_the_app_from_the_environment(value, code, words):
    done = subprocess.run(
        [PYTHON, "manage.py", "check"],
        cwd=ROOT,
        env=environment(GRANT_MANAGEMENT=value),
        capture_output=True,
        text=True,
    )
    assert done.returncode == code
    assert words in done.stdout + done.stderr


def test_each_key_of_the_app_can_be_set_by_the_environment():
    """One of each, other than its default; and all of them are known to the checks."""
    given = {
        "MAX_BODY_SIZE": 2_000_000,
        "THROTTLE_RATE": "100/s",
        "CLIENT_CERTIFICATE_HEADER": "ClientCert",
        "TRUSTED_PROXIES": ["10.0.0.0/8"],
        "UNDERSCORES_ARE_DROPPED": True,
        "EVENT_RETENTION_DAYS": 400,
        "CALL_LOG_SAMPLE": 10,
        "MAX_GRANT_CONTENT": 100_000,
        "MAX_GRANT_PAIRS": 500,
        "MAX_IMPORT_LINE": 2_000_000,
        "WRITES_AT_ONCE": 2,
        "READ_REPLICA": "replica",
        "SERVICE_DATABASES": {"1001": "eu"},
        "OAUTH_TOOLKIT_SERVICE": 1001,
        "ALLAUTH_SERVICE": 1001,
        "ENCRYPTION_KEYS": ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="],
        "EVENT_SIGNING_KEYS": ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="],
        "WEBHOOK_NETWORKS": ["10.0.0.0/8"],
        "WEBHOOK_RETRIES": [1, 60],
        "METRICS": True,
        "TRACES": True,
        "SELF_SERVICE_SUBJECT": "mysite.person.person_of",
        "SELF_SERVICE_TEMPLATE": "base.html",
    }
    assert list(given) == [one.key for one in Settings.all()]
    assert all(given[one.key] != one.default for one in Settings.all())
    seen = (
        "import json; from grant_management.conf import Settings, app_settings as s;"
        "print(json.dumps({one.key: getattr(s, one.key.lower()) for one in Settings.all()}))"
    )
    said = manage(
        "shell",
        "--no-imports",
        "-c",
        seen,
        # No key of JSON is a number, so the map has a variable of its own.
        GRANT_MANAGEMENT=json.dumps({k: v for k, v in given.items() if k != "SERVICE_DATABASES"}),
        SERVICE_DATABASES="1001=eu",
        DATABASE_URL_EU="sqlite:///eu.sqlite3",
        DATABASE_REPLICA_URL="postgresql://standby/grants",
    )
    assert json.loads(said) == given
