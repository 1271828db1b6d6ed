"""With everything off, a call runs no code of what watches and tells."""

import sys
from pathlib import Path

import pytest
from django.test import Client as HTTP
from django.urls import resolve

import grant_management

from ..world import BY_TEST

ROOT = Path(grant_management.__file__).parent
TELLS = (
    "metrics/",
    "traces.py",
    "call_lines.py",
    "events/",
    "models/outbox.py",
    "models/event_chain.py",
    "models/publishing.py",
    "models/webhook",
    "models/stream",
    "models/delivery.py",
    "models/receiver.py",
    "models/call.py",
)
ASKED = {("models/outbox.py", "put"), ("call_lines.py", "write")}
"""Each looks whether anybody listens, and returns."""


@pytest.fixture
def ran(world, request):
    """The functions of these files that a call runs."""
    if request.config.getoption("--traced"):
        pytest.skip("traces are on")

    def run(action):
        grant = world.grant()
        members = {"gmAction": action, "grantId": grant.grant_id, "accessToken": world.token(grant)}
        resolve(path_of(world))  # what the first call of a process imports is no part of a call
        return functions_of(lambda: sent(world, members))

    return run


def path_of(world):
    return f"/api/{world.service.pk}/gm"


def sent(world, members):
    headers = {"Authorization": f"Bearer {world.api_token}"}
    answer = HTTP().post(path_of(world), members, content_type="application/json", headers=headers)
    assert answer.json()["resultCode"] in ("A277001", "A281001")


def functions_of(work):
    found = set()

    def note(frame, happened, _argument):
        if happened == "call" and frame.f_code.co_filename.startswith(str(ROOT)):
            path = str(Path(frame.f_code.co_filename).relative_to(ROOT))
            if path.startswith(TELLS):
                found.add((path, frame.f_code.co_name))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return found


@pytest.mark.parametrize("action", ["QUERY", "REVOKE"])
def test_nobody_listens(ran, action):
    assert ran(action) <= ASKED


def test_somebody_listens(world, ran):
    """What the test looks at is what runs where an event is told."""
    from grant_management.events.delivering import number_waiting
    from grant_management.models import OutboxEntry, publishing

    publishing.publish(world.service, BY_TEST)
    before = OutboxEntry.objects.count()
    ran("REVOKE")
    assert OutboxEntry.objects.count() == before + 1
    found = functions_of(number_waiting)
    assert {("events/delivering.py", "_plan"), ("models/outbox.py", "assign_numbers")} <= found
