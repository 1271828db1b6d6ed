"""Jobs: what one did is told by its own events, and by no other's."""

import csv
import io
import json
from datetime import datetime, timedelta

import pytest
from django.core.management import call_command
from django.urls import reverse

from grant_management.admin import sweep as pages
from grant_management.models import Actor, Grant, GrantEvent, GrantFilter, Reason, Sweep
from grant_management.models.sweep import LEASE

from ..management.test_commands import run
from ..world import BY_TEST, later, now

ANN, BOB = Actor.operator("ann", 1), Actor.operator("bob", 2)


def start(world, actor=ANN, **fields):
    return Sweep.objects.start(GrantFilter(world.service, **fields), actor, Reason("other"))


def finish(sweep):
    assert sweep.claim()
    return list(sweep.work(10))


@pytest.fixture
def reports(admin_client):
    """What both reports of a job say."""

    def get(sweep):
        def text(name):
            address = reverse(f"admin:grant_management_sweep_{name}", args=[sweep.pk])
            return admin_client.get(address).getvalue().decode("utf-8-sig")

        told = json.loads(text("report.json"))
        *listed, end = csv.DictReader(io.StringIO(text("report.csv")))
        assert (end["grant_id"], end["client_id"]) == ("end", str(len(listed)))
        return told, [line["grant_id"] for line in listed]

    return get


def check(reports, sweep, grants):
    """It lists these grants and no others, and its sums agree."""
    told, listed = reports(sweep)
    assert sorted(listed) == sorted(grant.grant_id for grant in grants)
    sweep.refresh_from_db()
    assert told["revoked"] == sum(told["byClient"].values()) == sweep.revoked == len(grants)
    assert sweep.events().count() == len(grants)
    return told


@pytest.fixture
def one_moment(monkeypatch):
    """All that is done has the same time."""
    moment = now()
    monkeypatch.setattr("grant_management.db.clock.now", lambda: moment)
    return moment


def test_two_of_one_moment(world, reports, one_moment):
    """By one actor, at one service, of one client: told apart by what they are."""
    at = one_moment - timedelta(minutes=5)
    first = [world.grant(subject="a", created_at=at) for _ in range(3)]
    second = [world.grant(subject="b", created_at=at) for _ in range(2)]
    sweeps = [start(world, subject="a"), start(world, subject="b")]
    for sweep in reversed(sweeps):
        finish(sweep)
    check(reports, sweeps[0], first)
    check(reports, sweeps[1], second)
    assert len(set(GrantEvent.objects.values_list("at", flat=True))) == 1


def test_a_cut_off_beside_a_plain_one(world, reports, one_moment):
    """Whichever comes first has the grant; neither lists what the other did."""
    at = one_moment - timedelta(minutes=5)
    shared = world.grant(subject="a", created_at=at)
    rest = [world.grant(subject="b", created_at=at) for _ in range(2)]
    cut_off = start(world, client=world.client, created_before=one_moment)
    plain = start(world, BOB, subject="a")
    finish(plain)
    finish(cut_off)
    check(reports, plain, [shared])
    check(reports, cut_off, rest)


def test_two_cut_offs_of_one_moment(world, reports):
    """The second one moves nothing, and is a job all the same."""
    grants = [world.grant() for _ in range(2)]
    moment = now()
    first, second = (
        start(world, who, client=world.client, created_before=moment) for who in (ANN, BOB)
    )
    finish(second)
    finish(first)
    told = check(reports, second, grants)
    assert [one["what"] for one in told["story"]] == ["job_started", "job_finished"]
    told = check(reports, first, [])
    assert [one["what"] for one in told["story"]] == ["cut_off", "job_finished"]


def test_a_cut_off_is_told_at_the_time_of_the_act(world):
    """Today's act on yesterday's grants is logged today; the moment is a detail, and the stamp."""
    grant = world.grant(created_at=now() - timedelta(days=3))
    moment, began = now() - timedelta(days=1), now()
    finish(start(world, client=world.client, created_before=moment))
    assert Grant.objects.get(pk=grant.pk).revoked_at == moment
    events = GrantEvent.objects.order_by("at")
    assert [event.kind for event in events] == ["cut_off", "revoked", "job_finished"]
    for event in events:
        assert event.at >= began
    for event in events[:2]:
        assert datetime.fromisoformat(event.details["not_before"]) == moment


def test_resumed_by_somebody_else(world, reports):
    """What was done before is signed by the first, what comes after by the second; all is told."""
    grants = [world.grant() for _ in range(4)]
    sweep = start(world, client=world.client)
    assert sweep.claim()
    work = sweep.work(2)
    next(work)
    assert sweep.pause(BOB)
    assert list(work) == []
    sweep.refresh_from_db()
    assert sweep.resume(BOB)
    assert list(sweep.work(2)) == [2]
    told = check(reports, sweep, grants)
    by = [event.actor for event in sweep.events()]
    assert sorted(by) == ["ann", "ann", "bob", "bob"]
    assert told["startedBy"] == "ann"
    story = [(one["what"], one["actor"], one["actorId"]) for one in told["story"]]
    assert story == [
        ("job_started", "ann", "1"),
        ("job_paused", "bob", "2"),
        ("job_resumed", "bob", "2"),
        ("job_finished", "bob", "2"),
    ]
    for one in told["story"]:
        assert datetime.fromisoformat(one["at"]) <= now()


def test_taken_up_by_a_command(world, reports):
    """From whoever is gone, after the lease; the page says who did what."""
    grants = [world.grant() for _ in range(4)]
    sweep = start(world, client=world.client)
    assert sweep.claim()
    work = sweep.work(2)
    next(work)
    resume = ("revoke_grants", "--resume", sweep.pk)
    later(lambda: run(*resume), LEASE + timedelta(seconds=1))
    assert list(work) == []  # nor does the first go on, if it was only slow
    told = check(reports, sweep, grants)
    assert told["startedBy"] == "ann"
    assert told["story"][1]["actorKind"] == "command"


def test_the_page_says_who_paused(admin_client, world, monkeypatch):
    monkeypatch.setattr(pages, "work_in_background", lambda sweep: None)
    sweep = start(world, client=world.client)
    sweep.pause(BOB)
    address = reverse("admin:grant_management_sweep_change", args=[sweep.pk])
    shown = admin_client.get(address).content.decode()
    assert "Revoke by filter started: operator ann" in shown
    assert "Revoke by filter paused: operator bob" in shown
    admin_client.post(reverse("admin:grant_management_sweep_resume", args=[sweep.pk]))
    assert "Revoke by filter resumed: operator admin" in admin_client.get(address).content.decode()


def test_an_act_outside_is_in_no_report(world, reports):
    """By the same operator, meanwhile."""
    grants = [world.grant(subject="a") for _ in range(2)]
    sweep = start(world, subject="a")
    world.grant(subject="b").revoke(ANN, Reason("other"))
    finish(sweep)
    check(reports, sweep, grants)


def test_the_start_tells_what_was_asked_for(world):
    start(world, BY_TEST, scope="read", authorization_type="payment")
    event = GrantEvent.objects.get()
    assert event.details == {"expected": 0, "scope": "read", "authorization_type": "payment"}
    assert event.job == Sweep.objects.get().pk


def test_a_dry_run_leaves_nothing(world):
    world.grant()
    call_command(
        "revoke_grants", "--service", str(world.service.pk), "--subject", "user-1", "--dry-run"
    )
    assert not GrantEvent.objects.exists()
    assert not Sweep.objects.exists()
