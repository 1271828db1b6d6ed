"""Streams that change while their deliveries are planned."""

import re
import time

import pytest
from django.test.utils import CaptureQueriesContext

from grant_management import request_id
from grant_management.db import primary
from grant_management.events.delivering import number_waiting
from grant_management.models import ApiToken, GrantEvent, Stream, StreamDelivery
from grant_management.models.stream_delivery import HELD
from grant_management.protocol.shared_signals import SESSION_REVOKED

from ..ours import connection
from ..world import BY_TEST, make_world
from .test_outbox import KEY, WHY, ended, in_thread, only_postgresql

WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


@pytest.fixture(autouse=True)
def keys(settings):
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | {"ENCRYPTION_KEYS": [KEY]}


def wait_for_a_lock():
    """Until somebody else waits for one."""
    for _ in range(400):
        with connection.cursor() as cursor:
            cursor.execute(WAITING)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.05)
    raise AssertionError("nobody waits")


@pytest.mark.parametrize(
    ("before", "after", "due"),
    [("enabled", "disabled", []), ("enabled", "paused", [HELD]), ("paused", "enabled", [None])],
)
def test_a_status_that_changes_while_deliveries_are_planned(transactional_db, before, after, due):
    """Whoever plans waits, and plans for the status that comes."""
    only_postgresql()
    world = make_world()
    to = {"method": "push", "url": "https://receiver.example/"}
    stream = Stream.objects.register(
        ApiToken.objects.get(), world.service, BY_TEST, events_requested=[SESSION_REVOKED], **to
    )
    StreamDelivery.objects.set_status(stream, before, "", BY_TEST)
    world.service.refresh_from_db()
    world.grant().revoke(BY_TEST, WHY)
    with primary.atomic():
        StreamDelivery.objects.set_status(stream, after, "", BY_TEST)
        thread, failed = in_thread(number_waiting)
        wait_for_a_lock()
    ended(thread, failed)
    planned = StreamDelivery.objects.values_list("due_at", flat=True)
    assert [one if one == HELD else None for one in planned] == due


CONTENT = re.compile(r'(?<!\()"grant_management_grantevent"\."details"(,| FROM)')
"""The column in what a statement gives; not inside of a function or of an operator."""


def test_what_an_event_holds_is_not_read_to_plan_it(world):
    to = {"method": "push", "url": "https://receiver.example/"}
    token = ApiToken.objects.get()
    Stream.objects.register(token, world.service, BY_TEST, events_requested=[SESSION_REVOKED], **to)
    world.service.refresh_from_db()
    world.grant().revoke(BY_TEST, WHY)
    with CaptureQueriesContext(connection) as captured:
        number_waiting()
    assert StreamDelivery.objects.get().type == SESSION_REVOKED
    read = [one["sql"] for one in captured if one["sql"].startswith("SELECT")]
    assert any("grant_management_grantevent" in sql for sql in read)
    assert [sql for sql in read if CONTENT.search(sql)] == []


@pytest.mark.parametrize("given", ["", "17", "a-request"])
def test_an_event_is_told_alike_without_what_it_holds(
    world, given, monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr(request_id, "current", lambda: given)
    world.grant().revoke(BY_TEST, WHY)
    whole = GrantEvent.objects.get().payload()
    event = GrantEvent.objects.to_tell().get()
    with django_assert_num_queries(0):
        assert event.payload() == whole
    assert whole.request_id == given
