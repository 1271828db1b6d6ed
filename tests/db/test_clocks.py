"""Servers and commands whose own clock is wrong: the database's decides, so nothing comes of it."""

import ctypes.util
import glob
import json
import time
from datetime import timedelta

import pytest
from django.core.checks import Warning as CheckWarning
from django.core.checks import run_checks

from grant_management.db import clock

from ..gm_project.test_processes import postgresql  # noqa: F401 - a fixture
from ..ours import OURS, connection
from ..standalone import API_TOKEN, PATH, QUERY, manage, post, seed, serving
from ..world import Key

STORE = "/api/1001/"


@pytest.fixture
def shifted():
    """The environment of a process whose clock is off by so many seconds."""
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    library = found[0] if found else ctypes.util.find_library("faketimeMT")
    if library is None:
        pytest.skip("faketime is not installed")

    def environment(seconds):
        return {
            "LD_PRELOAD": library,
            "FAKETIME": f"{seconds:+d}s",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    return environment


@pytest.fixture
def url(postgresql, tmp_path):  # noqa: F811 - it is that fixture
    url = postgresql.get_uri()
    seed(url, tmp_path)
    return url


def create(port, **members):
    base = {"grantType": "CLIENT_CREDENTIALS", "clientIdentifier": "app-1"}
    scopes = {"scopes": ["grant_management_query", "grant_management_revoke"]}
    return post(port, f"{STORE}auth/token/create", API_TOKEN, base | scopes | members)[1]


def code(port, **members):
    return post(port, PATH, API_TOKEN, QUERY | members)[1]["resultCode"]


@pytest.mark.parametrize("seconds", [-4, 2 * 86_400])
def test_a_used_proof_stays_used(url, shifted, seconds):
    """A purge of a host that is ahead, a server that is behind: the proof is refused as replayed,
    and what lives is not deleted.
    """
    key = Key()
    with serving(url) as right, serving(url, **shifted(seconds)) as wrong:
        token = create(right, dpopKeyThumbprint=key.jkt)["accessToken"]
        htu = "https://as.example.com/gm/g-1"
        proof = key.proof(token, htu=htu)
        call = {"accessToken": token, "dpop": proof, "htu": htu}
        assert code(right, **call) == "A277001"
        manage("purge_expired", DATABASE_URL=url, **shifted(seconds))
        for port in (wrong, right):
            assert code(port, **call) == "A281308"
            fresh = key.proof(token, htu=htu)
            assert code(port, accessToken=token, dpop=fresh, htu=htu) == "A277001"


@pytest.mark.parametrize("seconds", [-3_600, 3_600])
def test_a_cut_off_stops_what_came_before_it(url, shifted, seconds):
    with serving(url) as right, serving(url, **shifted(100)) as ahead:
        tokens = [create(port)["accessToken"] for port in (right, ahead, right)]
        assert {code(right, accessToken=token) for token in tokens} == {"A277001"}
        manage("set_cut_off", "--service", 1001, DATABASE_URL=url, **shifted(seconds))
        for port in (right, ahead):
            assert {code(port, accessToken=token) for token in tokens} == {"A280302"}
            assert code(port, accessToken=create(port)["accessToken"]) == "A283301"


def test_a_token_lives_as_long_everywhere(url, shifted):
    with serving(url) as right, serving(url, **shifted(3_600)) as ahead:
        short = create(ahead, accessTokenDuration=2)["accessToken"]
        assert code(right, accessToken=short) == "A277001"
        assert code(ahead, accessToken=short) == "A277001"
        time.sleep(2.1)
        assert {code(port, accessToken=short) for port in (right, ahead)} == {"A280301"}


def test_a_job_and_the_counters_of_a_host_that_is_ahead(url, shifted, tmp_path):
    """Its lease is over for all at one moment; its events are counted, each once."""
    start = (
        "from grant_management.models import *;"
        "s = Service.objects.get(); a = Actor.command('test');"
        "j = Sweep.objects.start(GrantFilter(s, subject='x'), a, Reason('other'));"
        "print(j.claim(), j.pk)"
    )
    said = manage("shell", "-v", "0", "-c", start, DATABASE_URL=url, **shifted(600)).split()
    assert said[0] == "True"
    claim = (
        f"from grant_management.models import *; print(Sweep.objects.get(pk='{said[1]}').claim())"
    )
    assert manage("shell", "-v", "0", "-c", claim, DATABASE_URL=url).strip() == "False"
    count = (
        "from datetime import timedelta;"
        "from grant_management.models import *; from grant_management.models import daily_count as d;"
        "d.SETTLED = timedelta(0); Tally.count_events();"
        "print(sum(DailyCount.objects.exclude(kind='live').values_list('number', flat=True)),"
        " GrantEvent.objects.count())"
    )
    counted = manage("shell", "-v", "0", "-c", count, DATABASE_URL=url, **shifted(-600)).split()
    assert counted[0] == counted[1]


@pytest.mark.django_db
def test_a_check_tells_of_a_wrong_clock(monkeypatch):
    def warnings():
        found = run_checks(databases=[OURS])
        return [one.id for one in found if isinstance(one, CheckWarning) and "clock" in one.msg]

    assert warnings() == []
    monkeypatch.setattr(clock, "difference", lambda: 2 * clock.CLOCK_TOLERANCE)
    assert warnings() == ["grant_management.W002"]


@pytest.mark.django_db
def test_a_wrong_clock_is_logged_once(caplog, monkeypatch):
    monkeypatch.setattr(clock, "_warned", False)
    told = clock.now() + timedelta(minutes=2)
    for _ in range(3):
        clock.watch(told)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "set this server's clock right" in caplog.text


def test_events_have_the_databases_time(url, shifted):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no clock of its own")
    with serving(url, **shifted(86_400)) as ahead:
        revoke = QUERY | {"gmAction": "REVOKE"}
        assert post(ahead, PATH, API_TOKEN, revoke)[1]["action"] == "NO_CONTENT"
    shown = "from grant_management.models import *; print(GrantEvent.objects.order_by('-pk').first().at.timestamp())"
    at = json.loads(manage("shell", "-v", "0", "-c", shown, DATABASE_URL=url))
    assert abs(at - time.time()) < 60
