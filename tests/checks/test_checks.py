"""The system checks: really registered, silent where all is well."""

import re
from pathlib import Path

import pytest
from django.core.checks import run_checks

from grant_management import conf
from grant_management.conf import Settings, app_settings

# On Django 6.1 the check of a JSONField asks the database, also without being told of one.
pytestmark = pytest.mark.django_db


def ids():
    return {message.id for message in run_checks() if "grant_management" in message.id}


def test_silent(settings):
    assert ids() == set()
    settings.GRANT_MANAGEMENT = {"MAX_BODY_SIZE": 10, "THROTTLE_RATE": "10/s"}
    assert ids() == set()


WRONG = {
    "E001": ["x"],
    "E002": {"MAX_BODYSIZE": 1},
    "E003": {"MAX_BODY_SIZE": 0},
    "E004": {"THROTTLE_RATE": "many"},
    "E005": {"TRUSTED_PROXIES": ["x"]},
    "E006": {"CLIENT_CERTIFICATE_HEADER": "X"},
    "E007": {"EVENT_RETENTION_DAYS": 0},
    "E008": {"CALL_LOG_SAMPLE": "1"},
    "E009": {"UNDERSCORES_ARE_DROPPED": "yes"},
    "E011": {"MAX_GRANT_CONTENT": 0},
    "E012": {"MAX_GRANT_PAIRS": "10"},
    "E013": {"MAX_IMPORT_LINE": None},
    "E015": {"CLIENT_CERTIFICATE_HEADER": 1},
    "E016": {"OAUTH_TOOLKIT_SERVICE": "1"},
    "E019": {"WRITES_AT_ONCE": 0},
    "E021": {"ALLAUTH_SERVICE": 0},
    "E023": {"ENCRYPTION_KEYS": ["short"]},
    "E024": {"WEBHOOK_NETWORKS": ["10.0.0.0/99"]},
    "E026": {"EVENT_SIGNING_KEYS": "key"},
    "E025": {"WEBHOOK_RETRIES": []},
    "E031": {"SELF_SERVICE_SUBJECT": "person_of"},
    "E032": {"SELF_SERVICE_TEMPLATE": ""},
    "E033": {"METRICS": "yes"},
    "E035": {"TRACES": 1},
    "E037": {"READ_REPLICA": "nowhere"},
    "E038": {"SERVICE_DATABASES": {"1001": "default"}},
    "E014": {"MAX_GRANT_CONTENT": 1_000_000},
}


@pytest.mark.parametrize(("number", "value"), WRONG.items())
def test_wrong_settings(settings, number, value):
    settings.GRANT_MANAGEMENT = value
    assert ids() == {f"grant_management.{number}"}


@pytest.mark.parametrize("name", ["X-Client-Cert", "X_Client_Cert"])
def test_header_of_two_spellings(settings, name):
    """A proxy that strips one lets the other through, and WSGI has one name for both."""
    trusting = {"CLIENT_CERTIFICATE_HEADER": name, "TRUSTED_PROXIES": ["10.0.0.0/8"]}
    settings.GRANT_MANAGEMENT = trusting
    assert ids() == {"grant_management.W003"}
    settings.GRANT_MANAGEMENT = trusting | {"UNDERSCORES_ARE_DROPPED": True}
    assert ids() == set()
    settings.GRANT_MANAGEMENT = trusting | {"CLIENT_CERTIFICATE_HEADER": "ClientCert"}
    assert ids() == set()


def test_middleware(settings):
    """Only what gives requests their IDs may be before it."""
    first, second, *others = settings.MIDDLEWARE
    settings.MIDDLEWARE = [second, *others]
    assert ids() == set()
    settings.MIDDLEWARE = [first, *others]
    assert ids() == {"grant_management.W001"}


@pytest.mark.parametrize(("key", "number"), [("METRICS", "E034"), ("TRACES", "E036")])
def test_an_extra_that_is_not_installed(settings, monkeypatch, key, number):
    settings.GRANT_MANAGEMENT = {key: True}
    monkeypatch.setattr("grant_management.checks.settings.find_spec", lambda name: object())
    assert ids() == set()
    monkeypatch.setattr("grant_management.checks.settings.find_spec", lambda name: None)
    assert ids() == {f"grant_management.{number}"}


def test_time_zones(settings):
    settings.USE_TZ = False
    assert ids() == {"grant_management.E020"}


def test_settings_are_read_when_used(settings):
    assert app_settings.max_body_size == 1_048_576
    settings.GRANT_MANAGEMENT = {"MAX_BODY_SIZE": 5}
    assert app_settings.max_body_size == 5


def test_each_setting_has_a_check_of_its_own():
    errors = [one.error for one in Settings.all()]
    assert len(errors) == len(set(errors))
    assert set(errors) <= set(WRONG)


def test_no_setting_is_read_elsewhere():
    package = Path(conf.__file__).parent
    readers = [
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if re.search(r"configured\(\)|settings\.GRANT_MANAGEMENT", path.read_text())
    ]
    assert sorted(readers) == ["checks/settings.py", "conf.py"]
