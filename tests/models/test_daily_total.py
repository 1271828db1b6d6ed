"""Sums of the daily counters: what a chart shows of all clients, and what it reads for that."""

from collections import Counter
from datetime import timedelta

import pytest

from grant_management.models import Actor, DailyCount, GrantEvent, Tally, daily_total

from ..world import later, make_world, now

OLD = timedelta(days=40)


def record(world, days, number=1, client_id="app-1", kind="revoked"):
    at = now() - timedelta(days=days)
    for _ in range(number):
        GrantEvent.objects.record(
            kind, world.service.pk, at, Actor.operator("x"), client_id=client_id
        )


def shown(*worlds):
    """The numbers of a chart, by days ago and kind."""
    found, today = Counter(), now().date()
    services = [world.service.pk for world in worlds]
    for day, kind, number in daily_total.sums(services, today - OLD):
        found[(today - day).days, kind] += number
    return {key: number for key, number in found.items() if number}


@pytest.fixture
def counted(world):
    record(world, 30, 2)
    record(world, 30, 1, "app-2")
    record(world, 3, 1, kind="created")
    record(world, 0, 4)
    return later(Tally.count_events)


EXPECTED = {(30, "revoked"): 3, (3, "created"): 1, (0, "revoked"): 4}


def test_they_are_the_same_before_and_after_the_days_are_added_up(world, counted):
    assert shown(world) == EXPECTED
    for _ in range(2):
        daily_total.add_up(counted)
    assert shown(world) == EXPECTED
    sums = DailyCount.objects.totals().filter(number__gt=0)
    assert sorted(sums.values_list("client_id", "number")) == [("", 1), ("", 3)]


def test_a_day_that_was_added_up_is_read_by_its_sum(world, counted):
    daily_total.add_up(counted)
    DailyCount.objects.filter(kind="revoked", day__lt=now().date()).update(number=100)
    assert shown(world) == EXPECTED


def test_an_event_that_comes_to_such_a_day_is_counted(world, counted):
    daily_total.add_up(counted)
    Tally.objects.update(counted_until=now() - OLD - timedelta(days=1))
    DailyCount.objects.exclude(kind__in=("created_total", "revoked_total")).delete()
    record(world, 30, 5)
    again = later(Tally.count_events)
    more = EXPECTED | {(30, "revoked"): 8}
    assert shown(world) == more
    daily_total.add_up(again)
    assert shown(world) == more


def test_days_after_the_last_sum_are_added(world, counted):
    daily_total.add_up(counted)
    DailyCount.objects.totals().filter(day__gt=now().date() - timedelta(days=10)).delete()
    assert shown(world) == EXPECTED
    daily_total.add_up(counted)
    assert shown(world) == EXPECTED


def test_each_service_has_its_own(world):
    other = make_world()
    record(world, 3)
    record(other, 30, 7)
    daily_total.add_up(later(Tally.count_events))
    DailyCount.objects.totals().filter(service=other.service).delete()
    assert shown(world) == {(3, "revoked"): 1}
    assert shown(other) == {(30, "revoked"): 7}
    assert shown(world, other) == {(3, "revoked"): 1, (30, "revoked"): 7}
    assert shown() == {}
