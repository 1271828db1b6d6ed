"""The stream of events: its order, its cursor, what was there before, and who may read it."""

import json
import subprocess
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from grant_management.events.delivering import number_waiting
from grant_management.events.stream import read
from grant_management.models import GrantEvent, OutboxEntry, WebhookDelivery, publishing
from grant_management.models.outbox import FIRST

from ..gm_project.test_processes import database_url, postgresql  # noqa: F401 - fixtures
from ..standalone import manage, running, seed
from ..world import BY_TEST, api_token_of, make_world
from .conftest import WHY


def run(name, *arguments, **options):
    said = StringIO()
    call_command(name, *map(str, arguments), stdout=said, **options)
    return said.getvalue()


@pytest.fixture
def published(world):
    """A service that had two events before it published."""
    world.client.lock(BY_TEST, WHY)
    world.client.unlock(BY_TEST, WHY)
    run("publish_events", "--service", world.service.pk)
    world.service.refresh_from_db()
    return world.service


def kinds(service, after=0):
    number_waiting()
    return [one.event.kind for one in read(service, after)]


def test_what_was_there_comes_first(world, published):
    assert world.grant().revoke(BY_TEST, WHY)
    assert kinds(published) == ["client_locked", "client_unlocked", "settings_changed", "revoked"]
    numbers = [one.cursor for one in read(published, 0)]
    assert numbers == sorted(numbers)
    assert numbers[1] == FIRST - 1 < numbers[2]


def test_the_history_is_added_in_batches(world):
    for _ in range(5):
        world.client.lock(BY_TEST, WHY)
        world.client.unlock(BY_TEST, WHY)
    publishing.publish(world.service, BY_TEST)
    batches = publishing.add_history(world.service, 4)
    assert next(batches) == 4
    batches.close()  # interrupted
    assert list(publishing.add_history(world.service, 4)) == [4, 2]
    assert list(publishing.add_history(world.service, 4)) == []
    assert kinds(world.service) == ["client_locked", "client_unlocked"] * 5 + ["settings_changed"]


def test_publishing_twice_changes_nothing(world, published):
    before = GrantEvent.objects.count(), OutboxEntry.objects.count()
    assert json.loads(run("publish_events", "--service", published.pk, "--json"))["added"] == 0
    assert (GrantEvent.objects.count(), OutboxEntry.objects.count()) == before


def test_webhooks_are_not_sent_the_past(world, receiver, listen):
    world.client.lock(BY_TEST, WHY)
    listen()
    run("publish_events", "--service", world.service.pk)
    number_waiting()
    assert "client_locked" in kinds(world.service)
    assert "client.locked" not in WebhookDelivery.objects.values_list("type", flat=True)


def test_the_command_writes_lines(world, published):
    lines = [
        json.loads(line)
        for line in run("export_events", "--service", published.pk).split("\n")
        if line
    ]
    assert [one["type"] for one in lines] == ["client.locked", "client.unlocked", "service.changed"]
    event = GrantEvent.objects.get(kind="client_locked")
    assert lines[0] == {
        "cursor": str(FIRST - 2),
        "eventId": str(event.pk),
        "type": "client.locked",
        "timestamp": event.at.isoformat(),
        "serviceId": str(published.pk),
        "clientId": "app-1",
        "actor": "command",
        "actorName": event.actor,
        "actorId": event.actor_id,
        "reason": "test data",
    }
    after = ("--after", lines[1]["cursor"])
    rest = run("export_events", "--service", published.pk, *after)
    assert [json.loads(rest)["eventId"]] == [lines[2]["eventId"]]


def test_a_service_that_does_not_publish(world):
    with pytest.raises(CommandError, match=f"Run publish_events --service {world.service.pk}"):
        run("export_events", "--service", world.service.pk)


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", str(2**63)])
def test_a_cursor_that_is_none(world, published, cursor):
    with pytest.raises(CommandError, match="'after' must be a whole number"):
        run("export_events", "--service", published.pk, f"--after={cursor}")


@pytest.fixture
def ask(world, client):
    """A call with the right to read events: status and answer."""
    organization = world.service.organization
    token = api_token_of(organization=organization, service=world.service, can_read_events=True)

    def send(query="", *, api_token=token, service=None):
        path = f"/api/{(service or world.service).pk}/events{query}"
        response = client.get(path, headers={"Authorization": f"Bearer {api_token}"})
        return response.status_code, response.json()

    return send


def test_pages_of_the_api(world, published, ask):
    number_waiting()
    status, first = ask("?limit=2")
    assert (status, len(first["events"])) == (200, 2)
    assert first["cursor"] == first["events"][-1]["cursor"]
    second = ask(f"?after={first['cursor']}")[1]
    assert [one["type"] for one in second["events"]] == ["service.changed"]
    last = ask(f"?after={second['cursor']}")[1]
    assert (last["events"], last["cursor"]) == ([], second["cursor"])
    world.client.lock(BY_TEST, WHY)
    number_waiting()
    assert [one["type"] for one in ask(f"?after={last['cursor']}")[1]["events"]] == [
        "client.locked"
    ]


def test_a_page_has_a_bound_in_bytes(world, published, ask, monkeypatch):
    from grant_management.api.store import events

    monkeypatch.setattr(events, "PAGE_BYTES", 10)
    number_waiting()
    assert len(ask()[1]["events"]) == 1


def test_who_may_read(world, published, ask):
    assert ask(api_token=world.api_token)[1]["resultCode"] == "A292302"
    other = make_world()
    status, answer = ask(service=other.service)
    assert (status, answer["resultCode"]) == (403, "A458201")


def test_events_not_published(world, ask):
    status, answer = ask()
    assert (status, answer["resultCode"]) == (409, "A293204")


@pytest.mark.parametrize(
    "query", ["?after=x", "?after=-1", "?limit=0", "?limit=1001", "?after=1&after=2"]
)
def test_queries_that_are_refused(world, published, ask, query):
    status, answer = ask(query)
    assert (status, answer["resultCode"]) == (400, "A126202")


def test_following(database_url, tmp_path):  # noqa: F811 - it is that fixture
    """A real process: what comes is written at once, and a new one resumes."""
    seed(database_url, tmp_path)
    env = {"DATABASE_URL": database_url}
    manage("publish_events", "--service", 1001, **env)
    follow = ("manage.py", "export_events", "--service", 1001, "--follow")
    client = ("--service", 1001, "--client", "app-1")
    seen = []

    def until(process, kind):
        while not seen or seen[-1]["type"] != kind:
            seen.append(json.loads(process.stdout.readline()))

    with running(*follow, stdout=subprocess.PIPE, **env) as process:
        until(process, "service.changed")
        manage("lock_client", *client, **env)
        until(process, "client.locked")
        process.kill()
    manage("unlock_client", *client, **env)
    resumed = (*follow, "--after", seen[-1]["cursor"])
    with running(*resumed, stdout=subprocess.PIPE, **env) as process:
        until(process, "client.unlocked")
    types = [one["type"] for one in seen]
    assert types[-3:] == ["service.changed", "client.locked", "client.unlocked"]
    assert len({one["eventId"] for one in seen}) == len(seen)
