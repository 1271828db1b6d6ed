"""The API of webhooks: its right, its answers, and what it refuses."""

import uuid

import pytest
from cryptography.fernet import Fernet
from django.test.utils import CaptureQueriesContext

from grant_management.events.delivering import number_waiting
from grant_management.models import (
    GrantEvent,
    Webhook,
    WebhookDelivery,
    receiver,
    webhook_delivery,
)
from grant_management.models.event import NO_REASON
from grant_management.models.webhook_key import WebhookKey

from ..ours import connection
from ..world import BY_TEST, api_token_of, make_world

URL = "https://receiver.example/hook"


@pytest.fixture(autouse=True)
def keys(settings):
    keys = {"ENCRYPTION_KEYS": [Fernet.generate_key().decode()]}
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | keys


@pytest.fixture
def token(world):
    organization = world.service.organization
    return api_token_of(organization=organization, service=world.service, can_manage_webhooks=True)


@pytest.fixture
def ask(world, token, client):
    """A call with that right: status and answer."""

    def send(path, members=None, *, api_token=token, service=None, **headers):
        response = client.post(
            f"/api/{(service or world.service).pk}/webhooks{path}",
            members or {},
            content_type="application/json",
            headers={"Authorization": f"Bearer {api_token}"} | headers,
        )
        return response.status_code, response.json()

    return send


def code(answer):
    status, body = answer
    return status, body["resultCode"]


ROUTES = [
    "",
    "/list",
    *(
        f"/{{}}/{one}"
        for one in ("get", "update", "delete", "rotate", "test", "replay", "deliveries")
    ),
]


@pytest.mark.parametrize("route", ROUTES)
def test_each_route_needs_the_right(world, ask, route):
    made = ask("", {"url": URL})[1]["webhookId"]
    before = GrantEvent.objects.count()
    path = route.format(made)
    assert code(ask(path, {"url": URL}, api_token=world.api_token)) == (403, "A292302")
    manager = api_token_of(organization=world.service.organization, can_manage_tokens=True)
    assert code(ask(path, {"url": URL}, api_token=manager)) == (403, "A292302")
    assert GrantEvent.objects.count() == before


@pytest.mark.parametrize("route", ROUTES[2:])
def test_webhook_unknown(world, ask, route):
    other = make_world()
    right = {"can_manage_webhooks": True, "service": other.service}
    theirs = api_token_of(organization=other.service.organization, **right)
    made = ask("", {"url": URL}, api_token=theirs, service=other.service)[1]["webhookId"]
    members = {"from": 0}
    assert code(ask(route.format(made), members)) == (404, "A293201")
    assert code(ask(route.format(uuid.uuid4()), members)) == (404, "A293201")
    assert code(ask(route.format("-" * 36), members)) == (404, "A293201")
    assert Webhook.objects.count() == 1


def test_a_key_is_shown_once(ask):
    status, made = ask("", {"url": URL, "eventTypes": ["grant.revoked"], "description": "SIEM"})
    assert status == 200
    assert made["secret"].startswith("whsec_")
    assert made["eventTypes"] == ["grant.revoked"]
    shown = ask(f"/{made['webhookId']}/get")[1]
    listed = ask("/list")[1]["webhooks"]
    assert made["secret"] not in str(shown) + str(listed)
    assert {**shown, "resultCode": 0, "resultMessage": 0} == {
        **listed[0],
        "resultCode": 0,
        "resultMessage": 0,
    }
    assert not any(made["secret"] in str(one.details) for one in GrantEvent.objects.all())


def test_a_repeated_request_gets_no_secret(ask):
    first = ask("", {"url": URL}, **{"Idempotency-Key": "k"})[1]
    again = ask("", {"url": URL}, **{"Idempotency-Key": "k"})[1]
    assert again["webhookId"] == first["webhookId"]
    assert "secret" not in again
    assert Webhook.objects.count() == 1


def test_an_asymmetric_key(ask):
    made = ask("", {"url": URL, "signature": "v1a"})[1]
    assert made["publicKey"].startswith("whpk_")
    assert "secret" not in made
    rotated = ask(f"/{made['webhookId']}/rotate", {"signature": "v1", "overlap": 60})[1]
    assert rotated["secret"].startswith("whsec_")
    assert WebhookKey.objects.filter(expires_at=None).count() == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://receiver.example/",
        "https://",
        "https://user@receiver.example/",
        "https://user:password@receiver.example/",
        "https://receiver.example/#x",
        "https://receiver.example:0/",
        "https://receiver.example:65536/",
        "https://receiver.example:99999/",
        "https://receiver.example\\@127.0.0.1/",
        "https://receiver.example/\r\nX: y",
        "https://receiver.example/ x",
        "https://ä.example/",
        "ftp://receiver.example/",
        "//receiver.example/",
        "https://[::1",
        "https://receiver.example/" + "x" * 2000,
        "",
        5,
        None,
        ["https://receiver.example/"],
    ],
)
def test_urls_that_are_refused(ask, url):
    assert code(ask("", {"url": url})) == (400, "A126202")
    assert not Webhook.objects.exists()
    assert not GrantEvent.objects.exists()


@pytest.mark.parametrize(
    "members",
    [
        {"eventTypes": ["grant.unknown"]},
        {"eventTypes": "grant.revoked"},
        {"signature": "v2"},
        {"description": "x" * 256},
    ],
)
def test_members_that_are_refused(ask, members):
    assert code(ask("", {"url": URL} | members)) == (400, "A126202")
    assert not Webhook.objects.exists()


def test_webhooks_not_configured(ask, settings):
    made = ask("", {"url": URL})[1]["webhookId"]
    settings.GRANT_MANAGEMENT = {}
    assert code(ask("", {"url": URL})) == (409, "A293203")
    assert code(ask(f"/{made}/rotate")) == (409, "A293203")
    assert Webhook.objects.count() == 1


def test_a_service_has_so_many_webhooks(ask, monkeypatch):
    """Each event makes a row for each. A deleted one leaves its place."""
    monkeypatch.setattr(receiver, "AT_MOST", 2)
    first, _second = (ask("", {"url": URL})[1]["webhookId"] for _ in range(2))
    before = GrantEvent.objects.count()
    assert code(ask("", {"url": URL})) == (400, "A126202")
    assert (Webhook.objects.count(), GrantEvent.objects.count()) == (2, before)
    ask(f"/{first}/delete")
    assert code(ask("", {"url": URL})) == (200, "A291001")


def test_replay_needs_to_know_what(ask):
    made = ask("", {"url": URL})[1]["webhookId"]
    assert code(ask(f"/{made}/replay", {"until": 5})) == (400, "A126202")


def test_webhook_event_unknown(ask):
    made = ask("", {"url": URL})[1]["webhookId"]
    assert code(ask(f"/{made}/replay", {"eventId": str(uuid.uuid4())})) == (404, "A293202")


def test_replay_of_one_and_of_a_span(ask):
    made = ask("", {"url": URL})[1]["webhookId"]
    event = ask(f"/{made}/test")[1]["eventId"]
    number_waiting()
    assert WebhookDelivery.objects.count() == 2
    WebhookDelivery.objects.update(due_at=None, dead_at="2026-01-01T00:00Z", attempts=9)
    assert ask(f"/{made}/replay", {"eventId": event})[1]["count"] == 1
    (one,) = WebhookDelivery.objects.exclude(due_at=None)
    assert (str(one.event), one.attempts, one.state) == (event, 0, "pending")
    number_waiting()
    answer = ask(f"/{made}/replay", {"from": 0})[1]
    # Not the others: the test, and what told of its replay, are on their way.
    assert (answer["count"], answer["complete"]) == (1, True)
    assert ask(f"/{made}/replay", {"from": 0})[1]["count"] == 0
    told = GrantEvent.objects.filter(kind="webhook_replayed").order_by("pk").last()
    assert told.details["count"] == 0
    assert ask(f"/{made}/replay", {"from": 0, "until": 1})[1]["count"] == 0


def test_webhook_disabled(ask):
    """Nothing is sent there, so no answer says that it is."""
    made = ask("", {"url": URL})[1]["webhookId"]
    event = ask(f"/{made}/test")[1]["eventId"]
    number_waiting()
    WebhookDelivery.objects.update(due_at=None, dead_at="2026-01-01T00:00Z")
    ask(f"/{made}/update", {"enabled": False})
    before = GrantEvent.objects.count()
    for path, members in (("test", {}), ("replay", {"eventId": event}), ("replay", {"from": 0})):
        assert code(ask(f"/{made}/{path}", members)) == (409, "A293205")
    (row,) = WebhookDelivery.objects.filter(event=event)
    assert not row.replay(BY_TEST, NO_REASON)
    assert GrantEvent.objects.count() == before
    assert not WebhookDelivery.objects.exclude(due_at=None).exists()


def test_a_replay_is_read_in_parts(ask, world, monkeypatch):
    """Without what the events tell, which may be what large grants held."""
    monkeypatch.setattr(webhook_delivery, "AT_ONCE", 2)
    made = ask("", {"url": URL})[1]["webhookId"]
    for _ in range(4):
        world.client.lock(BY_TEST, NO_REASON)
        world.client.unlock(BY_TEST, NO_REASON)
    number_waiting()
    WebhookDelivery.objects.update(due_at=None, dead_at="2026-01-01T00:00Z")
    with CaptureQueriesContext(connection) as captured:
        assert ask(f"/{made}/replay", {"from": 0})[1]["count"] == 9
    read = [one["sql"] for one in captured if 'FROM "grant_management_grantevent"' in one["sql"]]
    assert len(read) == 5
    assert not any('"details"' in one for one in read)


def test_a_plan_reads_no_details(ask, world):
    ask("", {"url": URL})
    world.client.lock(BY_TEST, NO_REASON)
    with CaptureQueriesContext(connection) as captured:
        number_waiting()
    read = [one["sql"] for one in captured if 'FROM "grant_management_grantevent"' in one["sql"]]
    assert len(read) == 1
    assert '"details"' not in read[0]


def test_the_log_is_told_in_pages(ask):
    made = ask("", {"url": URL})[1]["webhookId"]
    for _ in range(5):
        ask(f"/{made}/test")
    first = ask(f"/{made}/deliveries", {"limit": 3})[1]
    second = ask(f"/{made}/deliveries", {"limit": 3, "cursor": first["cursor"]})[1]
    assert (len(first["deliveries"]), len(second["deliveries"])) == (3, 2)
    assert "cursor" not in second
    told = [one["eventId"] for one in first["deliveries"] + second["deliveries"]]
    assert len(set(told)) == 5
    assert told == sorted(told, reverse=True)
    assert ask(f"/{made}/deliveries", {"state": "dead"})[1]["deliveries"] == []
    assert code(ask(f"/{made}/deliveries", {"cursor": "x"})) == (400, "A126202")
