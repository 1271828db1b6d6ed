"""Streams that change while their deliveries are planned."""

import time

import pytest

from grant_management.db import primary
from grant_management.events.delivering import number_waiting
from grant_management.models import ApiToken, Stream, StreamDelivery
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
