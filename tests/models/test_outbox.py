"""The outbox: what happened is told, what was rolled back is not, and no cursor passes over it."""

import threading

import pytest
from django.test.utils import CaptureQueriesContext

from grant_management import signals
from grant_management.db import primary
from grant_management.events.delivering import number_waiting
from grant_management.models import GrantEvent, OutboxEntry, Reason, Service, Webhook
from grant_management.models.grant import Grant
from grant_management.models.outbox import FIRST
from grant_management.protocol.event_payload import TYPES, EventPayload

from ..ours import connection
from ..world import BY_TEST, make_world

WHY = Reason("test data")
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@pytest.fixture(autouse=True)
def keys(settings):
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | {"ENCRYPTION_KEYS": [KEY]}


def listened(world, **fields):
    """The world's service with a webhook; its service as it is now."""
    Webhook.objects.register(
        world.service, BY_TEST, signature="v1", url="https://receiver.example/", **fields
    )
    world.service.refresh_from_db()
    return world.service


def rows():
    return list(OutboxEntry.objects.order_by("pk"))


def test_a_service_without_webhooks_puts_nothing_there(world):
    grant = world.grant()
    assert grant.revoke(BY_TEST, WHY)
    world.client.lock(BY_TEST, WHY)
    assert GrantEvent.objects.count() == 2
    assert rows() == []


def test_an_event_is_there_with_its_change(world):
    listened(world)
    before = len(rows())
    grant = world.grant()
    assert grant.revoke(BY_TEST, WHY)
    world.client.lock(BY_TEST, WHY)
    told = [row.event for row in rows()[before:]]
    assert told == list(GrantEvent.objects.order_by("at").values_list("pk", flat=True))[-2:]


def rolled_back(grant):
    """Revoke it, in a transaction that fails."""

    def fail():
        with primary.atomic():
            grant.revoke(BY_TEST, WHY)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()


def test_what_was_rolled_back_is_not_there(world):
    listened(world)
    grant, before = world.grant(), len(rows())
    rolled_back(grant)
    assert len(rows()) == before


@pytest.mark.parametrize("listens", [False, True])
def test_what_a_revoke_costs(world, listens):
    """One statement more, which adds one row, where somebody listens; else nothing."""
    if listens:
        listened(world)
    grant = world.grant()
    with CaptureQueriesContext(connection) as captured:
        assert grant.revoke(BY_TEST, WHY)
    written = [one["sql"] for one in captured if "outbox" in one["sql"]]
    assert len(written) == int(listens)
    assert not any("publishes_events FROM" in one["sql"] for one in captured)


def test_a_batch_is_one_statement(world):
    service = listened(world)
    grants = [world.grant() for _ in range(5)]
    before = len(rows())
    with CaptureQueriesContext(connection) as captured:
        Grant.objects.revoke_all(service, [one.pk for one in grants], None, BY_TEST, WHY)
    assert len([one for one in captured if "INSERT" in one["sql"] and "outbox" in one["sql"]]) == 1
    assert len(rows()) == before + 5


def test_numbers_follow_each_other(world):
    service = listened(world)
    for _ in range(3):
        world.grant().revoke(BY_TEST, WHY)
    assert number_waiting() == 4
    numbers = [row.number for row in OutboxEntry.objects.after(service.pk, 0)]
    assert numbers == [FIRST + 1, FIRST + 2, FIRST + 3, FIRST + 4]
    world.grant().revoke(BY_TEST, WHY)
    assert [row.number for row in OutboxEntry.objects.after(service.pk, FIRST + 4)] == []
    assert number_waiting() == 1
    assert [row.number for row in OutboxEntry.objects.after(service.pk, FIRST + 4)] == [FIRST + 5]


def in_thread(act):
    """Run it on a connection of its own."""
    failed = []

    def run():
        try:
            act()
        except BaseException as error:  # noqa: BLE001 - the test shows it
            failed.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, failed


def ended(thread, failed):
    thread.join(timeout=20)
    assert not thread.is_alive()
    assert failed == []


def only_postgresql():
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL: --db postgresql (SQLite has one writer at a time)")


def test_a_transaction_that_commits_late_is_not_passed_over(transactional_db, settings):
    """It drew the lower key, and its event the lower UUID; then another one commits before it."""
    only_postgresql()
    world = make_world()
    service = listened(world)
    number_waiting()
    cursor = OutboxEntry.objects.after(service.pk, 0).last().number
    early, late = world.grant(), world.grant()
    written, go_on = threading.Event(), threading.Event()

    def commit_late():
        with primary.atomic():
            early.revoke(BY_TEST, WHY)
            written.set()
            assert go_on.wait(20)

    thread, failed = in_thread(commit_late)
    assert written.wait(20)
    late.revoke(BY_TEST, WHY)
    assert number_waiting() == 1
    seen = list(OutboxEntry.objects.after(service.pk, cursor))
    cursor = seen[-1].number
    go_on.set()
    ended(thread, failed)
    assert number_waiting() == 1
    (missed,) = OutboxEntry.objects.after(service.pk, cursor)
    # A cursor that is a key or a UUID would have passed it.
    assert missed.pk < seen[-1].pk
    assert missed.event < seen[-1].event
    assert GrantEvent.objects.get(pk=missed.event).grant_id == early.grant_id


def test_two_who_number_at_once_number_each_row_once(transactional_db):
    only_postgresql()
    world = make_world()
    service = listened(world)
    for _ in range(30):
        world.grant().revoke(BY_TEST, WHY)
    gate = threading.Barrier(4)

    def number():
        gate.wait()
        while OutboxEntry.objects.assign_numbers(4):
            pass

    for one in [in_thread(number) for _ in range(4)]:
        ended(*one)
    numbers = [row.number for row in OutboxEntry.objects.after(service.pk, 0)]
    assert numbers == list(range(FIRST + 1, FIRST + 32))


def test_the_first_webhook_waits_for_whoever_saw_none(transactional_db):
    """An event that commits after the webhook was there is told, though nobody listened before."""
    only_postgresql()
    world = make_world()
    grant = world.grant()
    written, go_on, there = threading.Event(), threading.Event(), threading.Event()

    def revoke():
        with primary.atomic():
            grant.revoke(BY_TEST, WHY)
            written.set()
            assert go_on.wait(20)

    def listen():
        listened(world)
        there.set()

    revoking = in_thread(revoke)
    assert written.wait(20)
    listening = in_thread(listen)
    assert not there.wait(1)
    go_on.set()
    ended(*revoking)
    ended(*listening)
    assert there.is_set()


@pytest.mark.parametrize("act", ["lock", "revoke_all"])
def test_so_it_does_for_the_other_doors(transactional_db, act):
    only_postgresql()
    world = make_world()
    grant = world.grant()
    written, go_on, there = threading.Event(), threading.Event(), threading.Event()

    def change():
        with primary.atomic():
            if act == "lock":
                world.client.lock(BY_TEST, WHY)
            else:
                Grant.objects.revoke_all(world.service, [grant.pk], None, BY_TEST, WHY)
            written.set()
            assert go_on.wait(20)

    changing = in_thread(change)
    assert written.wait(20)
    listening = in_thread(lambda: (listened(world), there.set()))
    assert not there.wait(1)
    go_on.set()
    ended(*changing)
    ended(*listening)


@pytest.fixture
def heard():
    """What the signal told."""
    told = []

    def hear(sender, events, **kwargs):
        told.append(events)

    signals.events_recorded.connect(hear)
    yield told
    signals.events_recorded.disconnect(hear)


def test_the_signal_comes_after_the_commit(world, heard, django_capture_on_commit_callbacks):
    grant = world.grant()
    with django_capture_on_commit_callbacks(execute=True):
        grant.revoke(BY_TEST, WHY)
        assert heard == []
    ((payload,),) = heard
    assert isinstance(payload, EventPayload)
    assert (payload.type, payload.grant_id, payload.subject) == (
        "grant.revoked",
        grant.grant_id,
        "user-1",
    )
    assert payload.id == GrantEvent.objects.get().pk


def test_the_signal_tells_many_at_once(world, heard, django_capture_on_commit_callbacks):
    grants = [world.grant() for _ in range(3)]
    with django_capture_on_commit_callbacks(execute=True):
        keys = [one.pk for one in grants]
        Grant.objects.revoke_all(world.service, keys, None, BY_TEST, WHY)
    (events,) = heard
    assert {one.grant_id for one in events} == {one.grant_id for one in grants}


def test_a_receiver_that_fails_stops_nobody(world, heard, django_capture_on_commit_callbacks):
    def fail(**kwargs):
        raise RuntimeError

    signals.events_recorded.connect(fail)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            world.grant().revoke(BY_TEST, WHY)
    finally:
        signals.events_recorded.disconnect(fail)
    assert len(heard) == 1


def test_the_signal_tells_nothing_that_was_rolled_back(transactional_db, heard):
    world = make_world()
    rolled_back(world.grant())
    assert heard == []


def test_every_kind_of_a_services_event_has_a_type():
    """Events of organizations are told to nobody: they are of no service."""
    of_organizations = {
        f"{what}_{did}"
        for what, deeds in (
            ("organization", ("created", "changed")),
            ("operator", ("created", "changed")),
            ("member", ("added", "removed")),
        )
        for did in deeds
    }
    kinds = {kind for kind, _label in GrantEvent._meta.get_field("kind").choices}
    assert set(TYPES) == kinds - of_organizations


def test_a_query_does_not_read_more(world, call, django_assert_num_queries):
    """The flag comes with the service's row, which the one statement reads anyway."""
    listened(world)
    grant = world.grant()
    token = world.token(grant)
    members = {"gmAction": "QUERY", "grantId": grant.grant_id, "accessToken": token}
    call(**members)
    with CaptureQueriesContext(connection) as captured:
        assert call(**members).action == "OK"
    assert not any("outbox" in one["sql"] for one in captured)
    assert Service.objects.get(pk=world.service.pk).publishes_events
