"""Counters behind the events: each event is counted once, on its day."""

from datetime import timedelta

import pytest

from grant_management.models import Actor, DailyCount, GrantEvent, HourlyCount, Reason, Tally
from grant_management.models.daily_count import FRESH, LIVE, SETTLED

from ..world import later, make_world, now

LATER = SETTLED + timedelta(seconds=1)


def counts(kind):
    rows = DailyCount.objects.filter(kind=kind).order_by("day", "client_id")
    return [(row.day, row.client_id, row.number) for row in rows]


def record(world, at, number=1, client_id="app-1"):
    for _ in range(number):
        GrantEvent.objects.record(
            "revoked", world.service.pk, at, Actor.operator("x"), client_id=client_id
        )


def test_each_event_once(world):
    today = now()
    yesterday = today - timedelta(days=1)
    record(world, today, 2)
    record(world, today, 1, "app-2")
    record(world, yesterday, 1)
    for _ in range(2):
        later(Tally.count_events)
    expected = [
        (yesterday.date(), "app-1", 1),
        (today.date(), "app-1", 2),
        (today.date(), "app-2", 1),
    ]
    assert counts("revoked") == expected


def test_what_comes_later_is_added(world):
    """Also what carries an earlier moment, as the events of a sweep do."""
    at = now()
    record(world, at)
    first = later(Tally.count_events)
    assert first.counted_until > at
    GrantEvent.objects.bulk_create([])
    event = GrantEvent.about(
        "revoked", at, Actor.operator("x"), service_id=world.service.pk, client_id="app-1"
    )
    event.pk = type(event.pk)(int=event.pk.int + (int(LATER.total_seconds() * 1000) << 80))
    event.save()
    later(Tally.count_events, 2 * LATER)
    assert counts("revoked") == [(at.date(), "app-1", 2)]


def test_what_may_be_in_a_transaction_is_left_for_the_next_time(world):
    record(world, now())
    Tally.count_events()
    assert counts("revoked") == []
    later(Tally.count_events)
    assert len(counts("revoked")) == 1


def test_a_page_counts_what_no_page_counted_just_now(world, django_assert_num_queries):
    counted = later(Tally.count_events)
    record(world, counted.counted_until)
    soon = counted.counted_until + SETTLED + FRESH - timedelta(milliseconds=1)
    with django_assert_num_queries(1):
        assert Tally.current(soon).counted_until == counted.counted_until
    assert counts("revoked") == []
    at = soon + timedelta(milliseconds=1)
    assert later(lambda: Tally.current(at), 2 * LATER).counted_until > counted.counted_until
    assert len(counts("revoked")) == 1


def test_the_first_page_counts_all(world):
    record(world, now())
    later(lambda: Tally.current(now()))
    assert len(counts("revoked")) == 1


def test_by_hour_too(world):
    """Of the last two days; each event once, and older hours are deleted."""
    at = now().replace(minute=30, second=0, microsecond=0)
    hour = at.replace(minute=0) - timedelta(hours=3)
    record(world, hour + timedelta(minutes=5), 2)
    record(world, hour + timedelta(minutes=55))
    record(world, at - timedelta(days=3))
    for _ in range(2):
        later(Tally.count_events)
    rows = HourlyCount.objects.values_list("hour", "kind", "client_id", "number")
    assert list(rows) == [(hour, "revoked", "app-1", 3)]
    later(Tally.count_events, timedelta(days=3))
    assert not HourlyCount.objects.exists()
    assert sum(number for *_, number in counts("revoked")) == 4


def test_hours_begin_where_days_were_counted_before(world):
    """After an update: the events of the last two days are counted by hour."""
    record(world, now() - timedelta(hours=5))
    later(Tally.count_events)
    HourlyCount.objects.all().delete()
    Tally.objects.update(hours_until=None)
    later(Tally.count_events, timedelta(minutes=5))
    assert [row.number for row in HourlyCount.objects.all()] == [1]
    assert sum(number for *_, number in counts("revoked")) == 1


def test_services_apart(world):
    other = make_world()
    record(world, now())
    record(other, now())
    later(Tally.count_events)
    assert [number for _, _, number in counts("revoked")] == [1, 1]


def test_live_grants(world):
    world.grant().revoke(Actor.operator("x"), Reason("other"))
    world.grant(expires_at=now() - timedelta(days=1))
    world.grant(pending=True)
    for _ in range(3):
        world.grant()
    Tally.count_live()
    assert [number for _, _, number in counts(LIVE)] == [3]
    world.client.move_cut_off(Actor.operator("x"), Reason("other"))
    assert Tally.count_live().live_at is not None
    assert counts(LIVE) == []


@pytest.mark.django_db(transaction=True)
def test_the_purge_counts():
    from django.core.management import call_command

    make_world().grant()
    call_command("purge_expired", verbosity=0)
    assert Tally.objects.get().live_at is not None
    assert [number for _, _, number in counts(LIVE)] == [1]
