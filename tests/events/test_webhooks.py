"""Webhooks, sent to a real receiver: what it gets, and what happens where it does not take it."""

import base64
import json
import socket
import threading
import time
from datetime import timedelta
from functools import partial

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.test.utils import CaptureQueriesContext
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from grant_management.db import encryption
from grant_management.db.ids import uuid7
from grant_management.events import delivering, resolving, sending
from grant_management.events.delivering import attempt, deliver_next, number_waiting
from grant_management.models import EventChain, GrantEvent, OutboxEntry, Webhook, WebhookDelivery
from grant_management.models.delivery import LEASE
from grant_management.models.purge import purge_all
from grant_management.models.webhook_attempt import WebhookAttempt
from grant_management.models.webhook_key import WebhookKey

from ..ours import connection
from ..receiver import drip, receiving, stalling
from ..world import BY_TEST, later, now
from .conftest import WHY


def deliver():
    while deliver_next():
        pass


def verify_v1a(public, headers, body):
    """By the specification: `v1a` is not in the published library."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix("whpk_")))
    for one in headers["webhook-signature"].split():
        kind, _, value = one.partition(",")
        if kind == "v1a":
            key.verify(base64.b64decode(value), signed)
            return
    raise InvalidSignature


def test_a_receiver_verifies_what_it_gets(world, receiver, listen):
    _webhook, secret = listen(event_types=["grant.revoked"])
    grant = world.grant()
    grant.revoke(BY_TEST, WHY)
    deliver()
    ((headers, body),) = receiver.came
    event = GrantEvent.objects.get(kind="revoked")
    told = Verifier(secret).verify(body.decode(), headers)
    assert headers["webhook-id"] == str(event.pk)
    assert headers["path"] == "/hook?a=1"
    assert headers["host"] == f"localhost:{receiver.port}"
    assert headers["content-type"] == "application/json"
    assert told["type"] == "grant.revoked"
    assert told["timestamp"] == event.at.isoformat()
    assert told["data"] == {
        "eventId": str(event.pk),
        "serviceId": str(world.service.pk),
        "clientId": "app-1",
        "grantId": grant.grant_id,
        "subject": "user-1",
        "actor": "command",
        "reason": "test data",
    }
    assert receiver.names == ["localhost"]
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.attempts, delivery.due_at) == ("delivered", 1, None)
    with pytest.raises(WebhookVerificationError):
        Verifier(secret).verify(body.decode() + " ", headers)


def test_an_asymmetric_signature(world, receiver, listen):
    _webhook, public = listen("v1a", event_types=["client.locked"])
    world.client.lock(BY_TEST, WHY)
    deliver()
    ((headers, body),) = receiver.came
    verify_v1a(public, headers, body)
    with pytest.raises(InvalidSignature):
        verify_v1a(public, headers, body + b" ")


def test_keys_overlap(world, receiver, listen):
    webhook, old = listen(event_types=["client.locked", "client.unlocked"])
    new = webhook.rotate(BY_TEST, signature="v1", overlap=timedelta(hours=1))
    public = webhook.rotate(BY_TEST, signature="v1a", overlap=timedelta(hours=1))
    world.client.lock(BY_TEST, WHY)
    deliver()
    ((headers, body),) = receiver.came
    for secret in (old, new):
        Verifier(secret).verify(body.decode(), headers)
    verify_v1a(public, headers, body)
    WebhookKey.objects.exclude(expires_at=None).update(expires_at=now() - timedelta(seconds=1))
    world.client.unlock(BY_TEST, WHY)
    deliver()
    headers, body = receiver.came[-1]
    verify_v1a(public, headers, body)
    with pytest.raises(WebhookVerificationError):
        Verifier(old).verify(body.decode(), headers)


def test_a_key_is_encrypted(world, listen, settings):
    _webhook, secret = listen()
    sealed = bytes(WebhookKey.objects.get().sealed)
    raw = base64.b64decode(secret.removeprefix("whsec_"))
    assert raw not in sealed
    assert encryption.decrypt(sealed) == raw
    old, new = settings.GRANT_MANAGEMENT["ENCRYPTION_KEYS"][0], Fernet.generate_key().decode()
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | {"ENCRYPTION_KEYS": [new, old]}
    assert encryption.decrypt(sealed) == raw
    fresh = encryption.renewed(sealed)
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | {"ENCRYPTION_KEYS": [new]}
    assert encryption.decrypt(fresh) == raw
    with pytest.raises(encryption.CannotDecrypt):
        encryption.decrypt(sealed)


def test_without_encryption_keys_there_is_no_webhook(world, settings):
    settings.GRANT_MANAGEMENT = {}
    with pytest.raises(encryption.CannotDecrypt):
        Webhook.objects.register(world.service, BY_TEST, signature="v1", url="https://x.example/")
    assert not Webhook.objects.exists()
    assert not GrantEvent.objects.exists()


def test_no_credential_and_no_content_is_told(world, receiver, listen):
    """Neither values of tokens, nor digests, nor what a grant holds, nor operators' notes."""
    listen()
    grant = world.grant(scopes='[{"scope":"very-special"}]')
    token = world.token(grant)
    from dataclasses import replace

    grant.revoke(BY_TEST, replace(WHY, note="a note of an operator", ticket="T-77"))
    deliver()
    told = b"".join(body for _headers, body in receiver.came).decode()
    for secret in (token, world.api_token, "very-special", "a note of", "T-77"):
        assert secret not in told
    assert "grant.revoked" in told


@pytest.mark.parametrize(
    ("status", "outcome"), [(500, "refused"), (404, "refused"), (307, "redirected")]
)
def test_what_is_not_taken_is_sent_again(world, receiver, listen, last_attempt, status, outcome):
    listen(event_types=["client.locked"])
    receiver.answers = [status]
    world.client.lock(BY_TEST, WHY)
    deliver()
    assert len(receiver.came) == 1
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.attempts) == ("pending", 1)
    assert timedelta(seconds=3) < delivery.due_at - last_attempt().at < timedelta(seconds=30)
    assert (last_attempt().outcome, last_attempt().status) == (outcome, status)
    later(deliver)
    assert len(receiver.came) == 2
    assert receiver.ids()[0] == receiver.ids()[1]
    assert {headers["path"] for headers, _body in receiver.came} == {"/hook?a=1"}
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts) == ("delivered", 2)


def test_after_the_last_attempt_it_is_given_up(world, receiver, listen, settings):
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | {"WEBHOOK_RETRIES": [5, 60]}
    listen(event_types=["client.locked"])
    receiver.answers = [500] * 5
    world.client.lock(BY_TEST, WHY)
    for hours in range(6):
        later(deliver, timedelta(hours=hours))
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.attempts, delivery.due_at) == ("dead", 3, None)
    assert len(receiver.came) == 3
    assert WebhookAttempt.objects.count() == 3


def test_410_disables_it(world, receiver, listen, last_attempt):
    webhook, _secret = listen(event_types=["client.locked", "client.unlocked"])
    receiver.answers = [410]
    world.client.lock(BY_TEST, WHY)
    deliver()
    webhook.refresh_from_db()
    assert webhook.disabled_at is not None
    assert last_attempt().outcome == "gone"
    event = GrantEvent.objects.get(kind="webhook_disabled")
    assert (event.actor_kind, event.actor) == ("system", "the webhook's receiver")
    world.client.unlock(BY_TEST, WHY)
    later(deliver, timedelta(days=1))
    assert len(receiver.came) == 1
    assert webhook.change(BY_TEST, enabled=True)
    later(deliver, timedelta(days=1))
    assert len(receiver.came) == 2


def test_a_grants_later_event_waits(world, receiver, listen):
    """Until the earlier one is delivered or dead; other grants' events do not wait."""
    listen()
    deliver()
    receiver.came.clear()
    one, other = world.grant(), world.grant()
    one.record("created", now(), BY_TEST)
    receiver.answers = [500]
    deliver()
    one.revoke(BY_TEST, WHY)
    other.revoke(BY_TEST, WHY)
    deliver()
    of = [json.loads(body)["data"]["grantId"] for _headers, body in receiver.came]
    assert of == [one.grant_id, other.grant_id]
    later(deliver)
    kinds = [
        json.loads(body)["type"]
        for _headers, body in receiver.came
        if json.loads(body)["data"]["grantId"] == one.grant_id
    ]
    assert kinds == ["grant.created", "grant.created", "grant.revoked"]


def test_a_dead_event_lets_the_next_one_through(world, receiver, listen, settings):
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | {"WEBHOOK_RETRIES": [1]}
    listen()
    deliver()
    grant = world.grant()
    receiver.answers = [500, 500]
    grant.record("created", now(), BY_TEST)
    deliver()
    grant.revoke(BY_TEST, WHY)
    later(deliver)
    later(deliver, timedelta(minutes=5))
    states = {
        row.type: row.state for row in WebhookDelivery.objects.filter(grant_id=grant.grant_id)
    }
    assert states == {"grant.created": "dead", "grant.revoked": "delivered"}


def test_a_receiver_that_hangs(world, receiver, listen, last_attempt, monkeypatch):
    """However slowly its answer comes: the whole attempt has an end, and the endpoint a pause."""
    monkeypatch.setattr(sending, "ANSWER_WITHIN", 1.0)
    webhook, _secret = listen(event_types=["client.locked", "client.unlocked"])
    receiver.answers = [drip]
    world.client.lock(BY_TEST, WHY)
    began = time.monotonic()
    deliver()
    assert time.monotonic() - began < 10
    assert last_attempt().outcome == "timed_out"
    webhook.refresh_from_db()
    assert webhook.failures == 1
    assert webhook.paused_until > now() - timedelta(seconds=5)
    later(deliver)
    webhook.refresh_from_db()
    assert (webhook.failures, webhook.paused_until) == (0, None)


def test_an_answer_that_is_no_http(world, receiver, listen, last_attempt):
    listen(event_types=["client.locked"])
    receiver.answers = [lambda handler: handler.wfile.write(b"\x00\xff not HTTP\r\n\r\n")]
    world.client.lock(BY_TEST, WHY)
    deliver()
    assert last_attempt().outcome == "not_connected"


@pytest.mark.parametrize("sends", [b"", b"\x16\x03\x03\x40\x00"])
def test_a_tls_handshake_that_never_ends(world, receiver, listen, last_attempt, monkeypatch, sends):
    """Silent, or with a byte now and then: it is part of the attempt's time."""
    monkeypatch.setattr(sending, "ANSWER_WITHIN", 1.5)
    with stalling(sends) as port:
        listen(url=f"https://localhost:{port}/", event_types=["client.locked"])
        world.client.lock(BY_TEST, WHY)
        began = time.monotonic()
        deliver()
        assert time.monotonic() - began < 8
    assert last_attempt().outcome == "timed_out"


def test_a_resolver_that_hangs(world, receiver, listen, last_attempt, monkeypatch):
    held = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *named, **more: [held.wait(30)][:0])
    monkeypatch.setattr(resolving, "RESOLVE_WITHIN", 0.2)
    listen(event_types=["client.locked"])
    world.client.lock(BY_TEST, WHY)
    began = time.monotonic()
    deliver()
    assert time.monotonic() - began < 8
    held.set()
    assert last_attempt().outcome == "not_resolved"
    assert Webhook.objects.get().failures == 1, "nobody else waits for it again and again"


def test_a_slow_receiver_holds_up_nobody_else(world, receiver, listen, monkeypatch):
    """It answers, but late: its next event waits, and those of others go first."""
    monkeypatch.setattr(delivering, "SLOW", 0.2)
    monkeypatch.setattr(delivering, "OTHERS", 1_000)
    receiver.answers = [late_if_slow] * 12
    kinds = ["client.locked", "client.unlocked"]
    slow, _secret = listen(url=f"{receiver.url}&slow", event_types=kinds)
    listen(event_types=kinds)
    for _ in range(3):
        world.client.lock(BY_TEST, WHY)
        world.client.unlock(BY_TEST, WHY)
    deliver()
    came = [headers["path"].endswith("slow") for headers, _body in receiver.came]
    assert (came.count(True), came.count(False)) == (1, 6)
    slow.refresh_from_db()
    assert slow.failures == 0
    assert slow.paused_until > now()


def late_if_slow(handler):
    time.sleep(0.3 if handler.path.endswith("slow") else 0)
    handler.send_response(204)
    handler.end_headers()


def test_a_failing_receiver_gets_one_attempt_at_a_time(world, receiver, listen):
    webhook, _secret = listen(event_types=["client.locked", "client.unlocked"])
    world.client.lock(BY_TEST, WHY)
    world.client.unlock(BY_TEST, WHY)
    number_waiting()
    webhook.become({"failures": 3, "paused_until": now()})
    first, second = (later(WebhookDelivery.objects.claim, timedelta(seconds=1)) for _ in range(2))
    assert (first is not None, second) == (True, None)
    assert attempt(first) == "delivered"
    deliver()
    assert len(receiver.came) == 2


def test_nobody_listens(world, receiver, listen, last_attempt):
    from ..standalone import free_port

    listen(url=f"https://localhost:{free_port()}/", event_types=["client.locked"])
    world.client.lock(BY_TEST, WHY)
    deliver()
    assert last_attempt().outcome == "not_connected"


@pytest.mark.parametrize("names", [("other.example",), ("127.0.0.1",)])
def test_a_certificate_for_another_name(
    world, receiver, listen, last_attempt, tmp_path, monkeypatch, names
):
    """An address in it does not help: the name was asked for."""
    with receiving(tmp_path, *names) as other:
        monkeypatch.setenv("SSL_CERT_FILE", str(other.pem))
        sending._trust.cache_clear()
        listen(url=other.url, event_types=["client.locked"])
        world.client.lock(BY_TEST, WHY)
        deliver()
        assert last_attempt().outcome == "not_trusted"
        assert other.came == []


def test_a_certificate_that_nobody_trusts(world, receiver, listen, last_attempt, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    sending._trust.cache_clear()
    listen(event_types=["client.locked"])
    world.client.lock(BY_TEST, WHY)
    deliver()
    assert last_attempt().outcome == "not_trusted"


def test_private_addresses_are_refused_by_default(world, receiver, listen, last_attempt, settings):
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | {"WEBHOOK_NETWORKS": []}
    listen(event_types=["client.locked"])
    world.client.lock(BY_TEST, WHY)
    deliver()
    assert last_attempt().outcome == "not_allowed"
    assert receiver.came == []
    assert receiver.names == []


def test_it_connects_to_the_address_that_was_checked(world, receiver, listen, monkeypatch):
    """The name is resolved once: a second answer of the name server changes nothing."""
    real, asked = socket.getaddrinfo, []

    def once(host, *more, **named):
        asked.append(host)
        if host == "localhost" and asked.count("localhost") > 1:
            raise AssertionError("resolved again")
        return real(host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", once)
    listen(event_types=["client.locked"])
    world.client.lock(BY_TEST, WHY)
    deliver()
    assert len(receiver.came) == 1
    assert asked.count("localhost") == 1


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_no_proxy_of_the_environment(world, receiver, listen, monkeypatch, name):
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    listen(event_types=["client.locked"])
    world.client.lock(BY_TEST, WHY)
    deliver()
    assert len(receiver.came) == 1


def test_a_key_that_cannot_be_decrypted(world, receiver, listen, last_attempt, settings):
    listen(event_types=["client.locked"])
    keys = settings.GRANT_MANAGEMENT["ENCRYPTION_KEYS"]
    other = [Fernet.generate_key().decode()]
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | {"ENCRYPTION_KEYS": other}
    world.client.lock(BY_TEST, WHY)
    deliver()
    assert last_attempt().outcome == "no_key"
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | {"ENCRYPTION_KEYS": keys}
    later(deliver)
    assert len(receiver.came) == 1


def test_an_event_that_was_purged(world, receiver, listen, last_attempt):
    listen(event_types=["client.locked"])
    world.client.lock(BY_TEST, WHY)
    number_waiting()
    GrantEvent.objects.filter(service=world.service).purge_oldest(now() + timedelta(days=1), 100)
    deliver()
    assert last_attempt().outcome == "no_event"
    assert WebhookDelivery.objects.get().state == "dead"


def test_whose_worker_ended_is_sent_again(world, receiver, listen):
    listen(event_types=["client.locked"])
    world.client.lock(BY_TEST, WHY)
    number_waiting()
    assert WebhookDelivery.objects.claim() is not None
    deliver()
    assert receiver.came == []
    later(deliver, LEASE + timedelta(seconds=1))
    assert len(receiver.came) == 1


def test_a_claim_that_ended_changes_nothing(world, receiver, listen):
    """Whoever was too slow writes its attempt, and the delivery is the other worker's."""
    listen(event_types=["client.locked"])
    world.client.lock(BY_TEST, WHY)
    number_waiting()
    slow = WebhookDelivery.objects.claim()
    other = later(WebhookDelivery.objects.claim, LEASE + timedelta(seconds=1))
    receiver.answers = [500]
    attempt(slow)
    row = WebhookDelivery.objects.get()
    assert (row.attempts, row.claimed_until) == (0, other.claimed_until)
    assert WebhookAttempt.objects.count() == 1


def test_410_of_the_url_before_disables_nothing(world, receiver, listen):
    """An operator changes the URL while the receiver at the old one is asked."""
    webhook, _secret = listen(event_types=["client.locked"])
    world.client.lock(BY_TEST, WHY)
    number_waiting()
    claimed = WebhookDelivery.objects.claim()
    assert webhook.change(BY_TEST, url=f"{receiver.url}&new")
    receiver.answers = [410]
    attempt(claimed)
    webhook.refresh_from_db()
    assert webhook.disabled_at is None
    assert WebhookAttempt.objects.get().outcome == "gone"


def test_a_webhook_that_is_deleted_while_it_is_sent_to(world, receiver, listen):
    webhook, _secret = listen(event_types=["client.locked"])
    world.client.lock(BY_TEST, WHY)
    number_waiting()
    delivery = WebhookDelivery.objects.claim()
    assert webhook.remove(BY_TEST)
    assert attempt(delivery) == "no_key"
    assert receiver.came == []


def test_a_long_log_costs_a_delete_nothing(world, receiver, listen):
    """As many statements for many deliveries as for none; the purge deletes them in batches."""
    webhook, _secret = listen(event_types=["client.locked"])
    told = [
        WebhookDelivery(
            webhook=webhook, event=uuid7(), type="x", number=n, created_at=now(), due_at=now()
        )
        for n in range(25)
    ]
    WebhookDelivery.objects.bulk_create(told)
    WebhookAttempt.objects.bulk_create(
        WebhookAttempt(delivery=one, at=now(), milliseconds=1, outcome="refused") for one in told
    )
    with CaptureQueriesContext(connection) as captured:
        assert webhook.remove(BY_TEST)
    assert not any("delivery" in one["sql"] for one in captured)
    assert not webhook.remove(BY_TEST)
    assert not Webhook.objects.of(world.service).exists()
    assert WebhookDelivery.objects.claim() is None
    purged = [number for name, number in purge_all(10) if name == "webhookdelivery"]
    assert purged == [10, 10, 5]
    assert not Webhook.objects.exists()
    assert not WebhookAttempt.objects.exists()


def test_the_purge_leaves_what_is_still_to_be_delivered(world, receiver, listen, settings):
    """However old it is: until it is delivered or dead, or its webhook is disabled."""
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | {"EVENT_RETENTION_DAYS": 1}
    webhook, _secret = listen(event_types=["client.locked"])
    world.client.lock(BY_TEST, WHY)
    purge = partial(later, lambda: list(purge_all(10)), timedelta(days=3))
    purge()
    assert GrantEvent.objects.count() == 2, "they have no number yet"
    number_waiting()
    EventChain.objects.extend(10)
    purge()
    assert [one.kind for one in GrantEvent.objects.all()] == ["client_locked"]
    deliver()
    assert len(receiver.came) == 1
    purge()
    assert not GrantEvent.objects.exists()
    assert not OutboxEntry.objects.exists()
    world.client.unlock(BY_TEST, WHY)
    world.client.lock(BY_TEST, WHY)
    number_waiting()
    assert webhook.change(BY_TEST, enabled=False)
    number_waiting()
    EventChain.objects.extend(10)
    purge()
    assert not GrantEvent.objects.exists()


def test_only_the_types_that_were_asked_for(world, receiver, listen):
    listen(event_types=["client.unlocked"])
    world.client.lock(BY_TEST, WHY)
    world.client.unlock(BY_TEST, WHY)
    deliver()
    assert [json.loads(body)["type"] for _headers, body in receiver.came] == ["client.unlocked"]


def test_replay(world, receiver, listen):
    webhook, _secret = listen(event_types=["client.locked", "client.unlocked"])
    world.client.lock(BY_TEST, WHY)
    world.client.unlock(BY_TEST, WHY)
    deliver()
    rows = OutboxEntry.objects.after(world.service.pk, 0)
    assert WebhookDelivery.objects.again(webhook, rows, now()) == 2
    deliver()
    ids = receiver.ids()
    assert ids[:2] == ids[2:]
    assert len(ids) == 4
