"""Shared Signals, to a receiver that was written from the specifications alone."""

import json
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.test import Client as HTTP
from django.test.utils import CaptureQueriesContext

from grant_management.events import polling
from grant_management.events.delivering import deliver_next, number_waiting
from grant_management.models import (
    Actor,
    ApiToken,
    GrantEvent,
    SigningKey,
    Stream,
    StreamDelivery,
)
from grant_management.models import receiver as receivers
from grant_management.models.delivery import KEPT_FOR, LEASE
from grant_management.models.event import ActorKind
from grant_management.models.purge import purge_all
from grant_management.models.stream_delivery import ENDED_FOR, HELD
from grant_management.protocol.shared_signals import (
    CLIENT_DISABLED,
    CLIENT_ENABLED,
    NAMESPACE,
    SESSION_REVOKED,
    SUPPORTED,
    TOKENS_REVOKED,
)

from ..ours import connection
from ..ssf_receiver import POLL, PUSH, SSF, Always, Rejected, SSFReceiver
from ..world import BY_TEST, api_token_of, now
from .conftest import WHY

ALL = list(SUPPORTED)


def ask(method, url, headers, body):
    """An HTTP request of a receiver, without the network."""
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    response = HTTP(raise_request_exception=False).generic(
        method, path, body or b"", headers.get("Content-Type", ""), headers=headers
    )
    return response.status_code, response.headers, response.content


class Here(SSFReceiver):
    """In the process of the transmitter, whose rows the tests have at hand."""

    def __init__(self, world, *arguments):
        super().__init__(*arguments)
        self.world = world

    def create(self, **members):
        made = super().create(**members)
        self.world.service.refresh_from_db()  # it publishes its events now
        return made


@pytest.fixture
def signals(world, receiver):
    """A receiver of the world's signals, which knows the transmitter."""
    return receiver_of(world, receiver)


def receiver_of(world, receiver, **fields):
    token = api_token_of(
        organization=world.service.organization,
        service=world.service,
        can_manage_streams=True,
        **fields,
    )
    made = Here(world, world.service.issuer, token, ask)
    made.discover()
    receiver.answers = Always(made.pushed)
    return made


@pytest.fixture
def push(signals, receiver):
    """A stream that is pushed to the receiver."""

    def make(*types, **delivery):
        delivery = {"method": PUSH, "endpoint_url": receiver.url} | delivery
        made = signals.create(delivery=delivery, events_requested=list(types) or ALL)
        signals.fetch_keys()  # here, since a thread of the receiver is in no transaction of a test
        return made

    return make


def deliver():
    while deliver_next():
        pass


def by_type(signals):
    return {kind: claims for claims in signals.seen.values() for kind in claims["events"]}


def test_a_revoke_is_pushed(world, signals, push, receiver):
    stream = push()
    grant = world.grant()
    grant.revoke(Actor(ActorKind.OPERATOR, "ann"), WHY)
    deliver()
    event = GrantEvent.objects.get(kind="revoked")
    told = by_type(signals)
    assert set(told) == {SESSION_REVOKED, TOKENS_REVOKED}
    issuer = world.service.issuer
    assert told[SESSION_REVOKED] == {
        "iss": issuer,
        "aud": stream["aud"],
        "iat": int(event.at.timestamp()),
        "jti": told[SESSION_REVOKED]["jti"],
        "txn": str(event.pk),
        "sub_id": {
            "format": "complex",
            "user": {"format": "iss_sub", "iss": issuer, "sub": "user-1"},
            "application": {"format": "opaque", "id": "app-1"},
            "grant": {"format": "opaque", "id": grant.grant_id},
        },
        "events": {
            SESSION_REVOKED: {
                "event_timestamp": int(event.at.timestamp()),
                "initiating_entity": "admin",
                "reason_admin": {"en": "The grant was revoked."},
            }
        },
    }
    assert told[TOKENS_REVOKED]["txn"] == str(event.pk)
    assert {headers["content-type"] for headers, _ in receiver.came} == {"application/secevent+jwt"}
    assert {one.state for one in StreamDelivery.objects.all()} == {"delivered"}


def test_a_revoke_is_polled(world, signals):
    stream = signals.create(events_requested=[SESSION_REVOKED, "urn:example:unknown"])
    assert stream["delivery"]["method"] == POLL
    assert stream["events_delivered"] == [SESSION_REVOKED]
    world.grant().revoke(BY_TEST, WHY)
    number_waiting()
    first = signals.poll(stream, maxEvents=1)
    assert len(first["sets"]) == 1
    assert signals.poll(stream)["sets"].keys() == first["sets"].keys(), "until it is confirmed"
    assert signals.poll(stream, ack=list(first["sets"])) == {"sets": {}}
    assert StreamDelivery.objects.get().state == "delivered"


def test_access_tokens_that_outlive_their_grant(world, signals):
    """OAuth's tokens-revoked says that all tokens are."""
    world.service.change({"revoke_access_tokens": False}, BY_TEST, WHY)
    stream = signals.create(events_requested=ALL)
    grant = world.grant()
    grant.service = world.service
    grant.revoke(BY_TEST, WHY)
    deliver()
    signals.drain(stream)
    assert signals.types() == [SESSION_REVOKED]


def test_what_is_told_of_each_event(world, signals):
    stream = signals.create(events_requested=ALL)
    world.client.lock(BY_TEST, WHY)
    world.client.unlock(BY_TEST, WHY)
    world.service.move_cut_off(BY_TEST, WHY)
    deliver()
    told = [(next(iter(one["events"])), one["sub_id"]) for one in signals.drain(stream)]
    app = {"format": "complex", "application": {"format": "opaque", "id": "app-1"}}
    number = str(world.service.pk)
    tenant = {"format": "complex", "tenant": {"format": "opaque", "id": number}}
    expected = [(CLIENT_DISABLED, app), (CLIENT_ENABLED, app), (SESSION_REVOKED, tenant)]
    assert sorted(map(str, told)) == sorted(map(str, expected))


def test_no_credential_is_told(world, signals):
    """Whatever happens, the SETs have the members that are documented, and no other."""
    stream = signals.create(events_requested=ALL)
    grant = world.grant()
    values = [world.token(grant), world.refresh_token(grant)]
    grant.revoke(BY_TEST, WHY)
    deliver()
    signals.drain(stream)
    text = json.dumps(list(signals.seen.values()))
    assert len(signals.seen) == 2
    assert not any(one in text for one in [*values, signals.token, WHY.reason])


def test_only_what_was_requested(world, signals):
    none = signals.create()
    assert (none["events_requested"], none["events_delivered"]) == ([], [])
    one = signals.create(events_requested=[CLIENT_DISABLED])
    world.grant().revoke(BY_TEST, WHY)
    deliver()
    assert signals.poll(none) == signals.poll(one) == {"sets": {}}
    assert not StreamDelivery.objects.exists()


def test_the_order_of_a_grant(world, signals, push, receiver):
    """A later event waits for the earlier one; those of other grants do not."""
    push(SESSION_REVOKED, NAMESPACE + "grant-created", NAMESPACE + "tokens-reused")
    grant, other = world.grant(), world.grant()
    receiver.answers = Always(signals.pushed, [503])
    grant.record("refresh_reused", now(), BY_TEST)
    grant.revoke(BY_TEST, WHY)
    other.revoke(BY_TEST, WHY)
    deliver()
    assert [one["sub_id"]["grant"]["id"] for one in signals.seen.values()] == [other.grant_id]
    StreamDelivery.objects.filter(due_at__isnull=False).update(due_at=now())
    deliver()
    told = [
        kind
        for one in signals.seen.values()
        for kind in one["events"]
        if one["sub_id"]["grant"]["id"] == grant.grant_id
    ]
    assert told == [NAMESPACE + "tokens-reused", SESSION_REVOKED]


def test_a_poll_has_one_event_of_a_grant(world, signals):
    """SETs of an answer have no order, so the later one comes with the next poll."""
    stream = signals.create(events_requested=ALL)
    grant = world.grant()
    grant.record("refresh_reused", now(), BY_TEST)
    grant.revoke(BY_TEST, WHY)
    deliver()
    first = signals.poll(stream)
    assert (signals.types(), first["moreAvailable"]) == ([NAMESPACE + "tokens-reused"], True)
    second = signals.poll(stream, ack=list(first["sets"]))
    assert (len(second["sets"]), "moreAvailable" in second) == (2, False)


def test_a_poll_costs_the_same_for_many(world, signals):
    """The events are read at once, and the key is read and decrypted once."""
    made = signals.create(events_requested=[SESSION_REVOKED])
    stream = Stream.objects.get(pk=made["stream_id"])
    costs = []
    for number in (1, 8):
        for _ in range(number):
            world.grant().revoke(BY_TEST, WHY)
        deliver()
        with CaptureQueriesContext(connection) as captured:
            sets, more = polling.fetch(Stream.objects.get(pk=stream.pk), 50)
        assert (len(sets), more) == (number, False)
        costs.append(len(captured))
        assert not any("COUNT(" in one["sql"] for one in captured)
        polling.confirm(stream, list(sets), [])
    assert costs[0] == costs[1] <= 7


@pytest.mark.parametrize("end", ["revoked_at", "expires_at"])
def test_what_waits_for_a_receiver_whose_token_ended(world, signals, push, receiver, end):
    """It is put off, so that no worker reads it at each look; and sent if the token lives again."""
    push(SESSION_REVOKED)
    for _ in range(3):
        world.grant().revoke(BY_TEST, WHY)
    number_waiting()
    tokens = ApiToken.objects.filter(can_manage_streams=True)
    tokens.update(**{end: now()})
    deliver()
    assert receiver.came == []
    rows = StreamDelivery.objects.all()
    assert {(row.claimed_until, row.attempts) for row in rows} == {(None, 0)}
    assert all(now() < row.due_at < now() + 2 * ENDED_FOR for row in rows)
    tokens.update(**{end: None})
    rows.update(due_at=now())  # the hour is over
    deliver()
    assert {row.state for row in rows.all()} == {"delivered"}


@pytest.mark.parametrize("status", [200, 204, 302, 401, 500])
def test_202_alone_is_a_delivery(world, signals, push, receiver, status):
    """RFC 8935 §2.2."""
    push(SESSION_REVOKED)
    receiver.answers = Always(status)
    world.grant().revoke(BY_TEST, WHY)
    deliver()
    (one,) = StreamDelivery.objects.all()
    assert (one.state, one.attempts, len(receiver.came)) == ("pending", 1, 1)
    assert one.outcome == ("redirected" if status == 302 else "refused")
    receiver.answers = Always(signals.pushed)
    StreamDelivery.objects.update(due_at=now())
    deliver()
    assert StreamDelivery.objects.get().state == "delivered"


@pytest.mark.parametrize(
    ("error", "state"),
    [
        ("invalid_request", "dead"),
        ("invalid_audience", "dead"),
        ("invalid_key", "pending"),
        ("access_denied", "pending"),
        ("x" * 9_000, "pending"),
    ],
)
def test_a_receiver_that_refuses(world, push, receiver, error, state):
    """RFC 8935 §2.3: what it would refuse again is given up."""

    def refuse(handler):
        handler.send_response(400)
        handler.end_headers()
        handler.wfile.write(json.dumps({"err": error}).encode())

    push(SESSION_REVOKED)
    receiver.answers = Always(refuse)
    world.grant().revoke(BY_TEST, WHY)
    deliver()
    assert StreamDelivery.objects.get().state == state
    assert error not in str(StreamDelivery.objects.values().get())


def test_errors_of_a_poll(world, signals):
    stream = signals.create(events_requested=[SESSION_REVOKED])
    world.grant().revoke(BY_TEST, WHY)
    deliver()
    (jti,) = signals.poll(stream)["sets"]
    errors = {jti: {"err": "invalid_key", "description": "no"}, "x": {"err": "invalid_key"}}
    assert signals.poll(stream, setErrs=errors, maxEvents=0) == {"sets": {}}
    assert StreamDelivery.objects.get().state == "dead"


def test_the_receivers_authorization(world, signals, push, receiver):
    """Sent with each push, encrypted in the database, shown nowhere."""
    secret = "Bearer receivers-own-secret"
    stream = push(SESSION_REVOKED, authorization_header=secret)
    assert secret not in json.dumps(stream)
    world.grant().revoke(BY_TEST, WHY)
    deliver()
    assert [headers["authorization"] for headers, _ in receiver.came] == [secret]
    row = Stream.objects.values().get()
    assert secret.encode() not in bytes(row["header"])
    told = [one.details for one in GrantEvent.objects.all()]
    assert "receivers-own" not in json.dumps(told)


@pytest.mark.parametrize("networks", [[], ["10.0.0.0/8"]])
def test_where_sets_may_be_sent(world, push, receiver, settings, networks):
    push(SESSION_REVOKED)
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | {"WEBHOOK_NETWORKS": networks}
    world.grant().revoke(BY_TEST, WHY)
    deliver()
    assert receiver.came == []
    assert StreamDelivery.objects.get().outcome == "not_allowed"


def test_verified_just_before(signals, push):
    members = {"stream_id": push()["stream_id"]}
    assert signals.call("verification_endpoint", members=members) == (204, None)
    status, refused = signals.call("verification_endpoint", members=members)
    assert (status, refused["resultCode"]) == (429, "A296204")


def test_a_receiver_has_so_many_streams(world, signals, receiver, monkeypatch):
    monkeypatch.setattr(receivers, "AT_MOST", 1)
    signals.create()
    before = GrantEvent.objects.count()
    status, refused = signals.call("configuration_endpoint", members={})
    assert (status, refused["resultCode"]) == (400, "A126202")
    assert (Stream.objects.count(), GrantEvent.objects.count()) == (1, before)
    receiver_of(world, receiver).create()  # another one's are its own


def test_verification(signals, push):
    stream = push()
    members = {"stream_id": stream["stream_id"], "state": "given by the receiver"}
    assert signals.call("verification_endpoint", members=members) == (204, None)
    deliver()
    (claims,) = signals.seen.values()
    assert claims["sub_id"] == {"format": "opaque", "id": stream["stream_id"]}
    assert claims["events"] == {f"{SSF}/verification": {"state": "given by the receiver"}}


def test_a_paused_stream_holds(world, signals, push, receiver):
    stream = push(SESSION_REVOKED)
    at = {"stream_id": stream["stream_id"]}
    assert signals.call("status_endpoint", members=at | {"status": "paused"})[0] == 200
    world.grant().revoke(BY_TEST, WHY)
    deliver()
    assert receiver.came == []
    assert StreamDelivery.objects.get().due_at == HELD
    answer = signals.call("status_endpoint", members=at | {"status": "enabled"})
    assert answer == (200, at | {"status": "enabled"})
    deliver()
    assert signals.types() == [SESSION_REVOKED]


def test_a_disabled_stream_drops(world, signals):
    stream = signals.create(events_requested=[SESSION_REVOKED])
    at = {"stream_id": stream["stream_id"]}
    world.grant().revoke(BY_TEST, WHY)
    deliver()
    reason = {"status": "disabled", "reason": "maintenance"}
    assert signals.call("status_endpoint", members=at | reason) == (200, at | reason)
    world.grant().revoke(BY_TEST, WHY)
    deliver()
    assert not StreamDelivery.objects.exists()
    signals.call("status_endpoint", members=at | {"status": "enabled"})
    assert signals.poll(stream) == {"sets": {}}


def test_a_paused_stream_is_not_polled(world, signals):
    stream = signals.create(events_requested=[SESSION_REVOKED])
    world.grant().revoke(BY_TEST, WHY)
    deliver()
    at = {"stream_id": stream["stream_id"]}
    signals.call("status_endpoint", members=at | {"status": "paused"})
    assert signals.poll(stream) == {"sets": {}}
    signals.call("status_endpoint", members=at | {"status": "enabled"})
    assert len(signals.poll(stream)["sets"]) == 1


def test_an_operator_who_pauses_a_stream_is_told(world, signals, push):
    made = push(SESSION_REVOKED)
    stream = Stream.objects.get(pk=made["stream_id"])
    StreamDelivery.objects.set_status(stream, "paused", "", BY_TEST, WHY, is_told=True)
    deliver()
    (claims,) = signals.seen.values()
    assert claims["events"] == {f"{SSF}/stream-updated": {"status": "paused"}}
    assert claims["sub_id"] == {"format": "opaque", "id": made["stream_id"]}


def test_the_order_of_a_client(world, signals, push, receiver):
    """SSF §8.1.2.1: what is held is told in its order, also where the first attempt fails."""
    stream = push(CLIENT_DISABLED, CLIENT_ENABLED)
    at = {"stream_id": stream["stream_id"]}
    signals.call("status_endpoint", members=at | {"status": "paused"})
    world.client.lock(BY_TEST, WHY)
    world.client.unlock(BY_TEST, WHY)
    deliver()
    signals.call("status_endpoint", members=at | {"status": "enabled"})
    receiver.answers = Always(signals.pushed, first=[503])
    deliver()
    assert signals.types() == []
    StreamDelivery.objects.filter(due_at__isnull=False).update(due_at=now())
    deliver()
    assert signals.types() == [CLIENT_DISABLED, CLIENT_ENABLED]


def test_a_poll_has_one_event_of_a_client(world, signals):
    """The members of its answer have no order."""
    stream = signals.create(events_requested=[CLIENT_DISABLED, CLIENT_ENABLED])
    world.client.lock(BY_TEST, WHY)
    world.client.unlock(BY_TEST, WHY)
    deliver()
    assert len(signals.poll(stream)["sets"]) == 1
    signals.drain(stream)
    assert signals.types() == [CLIENT_DISABLED, CLIENT_ENABLED]


def test_a_disabled_stream_is_not_verified(signals, push):
    """SSF §8.1.2.1: nothing is held for later, so no answer says that it will be sent."""
    at = {"stream_id": push()["stream_id"]}
    signals.call("status_endpoint", members=at | {"status": "disabled"})
    status, refused = signals.call("verification_endpoint", members=at)
    assert (status, refused["resultCode"]) == (400, "A126202")
    signals.call("status_endpoint", members=at | {"status": "enabled"})
    assert signals.call("verification_endpoint", members=at) == (204, None)
    deliver()
    assert signals.types() == [f"{SSF}/verification"]


def test_the_last_status_alone_is_told(world, signals, push, receiver):
    """Earlier ones that did not arrive are dropped, so none arrives after it; and none is held."""
    made = push(SESSION_REVOKED)
    stream = Stream.objects.get(pk=made["stream_id"])
    receiver.answers = Always(503)
    for status in ("paused", "enabled", "disabled"):
        StreamDelivery.objects.set_status(stream, status, "", BY_TEST, WHY, is_told=True)
        deliver()
    at = {"stream_id": made["stream_id"]}
    signals.call("status_endpoint", members=at | {"status": "paused"})
    receiver.answers = Always(signals.pushed)
    StreamDelivery.objects.exclude(due_at=HELD).update(due_at=now())
    deliver()
    told = [claims["events"][f"{SSF}/stream-updated"] for claims in signals.seen.values()]
    assert told == [{"status": "disabled"}]


def test_from_push_to_poll_and_back(world, signals, push, receiver):
    """What waits is delivered in the new way."""
    stream = push(SESSION_REVOKED)
    receiver.answers = Always(503)
    world.grant().revoke(BY_TEST, WHY)
    deliver()
    at = {"stream_id": stream["stream_id"]}
    poll = at | {"delivery": {"method": POLL}}
    _, changed = signals.call("configuration_endpoint", "PATCH", poll)
    assert len(signals.poll(changed)["sets"]) == 1
    receiver.answers = Always(signals.pushed)
    back = {"method": PUSH, "endpoint_url": receiver.url}
    signals.call("configuration_endpoint", "PATCH", at | {"delivery": back})
    deliver()
    assert StreamDelivery.objects.get().state == "delivered"


def user(world, sub="user-1"):
    return {"format": "iss_sub", "iss": world.service.issuer, "sub": sub}


def test_subjects(world, signals):
    """One that was removed is not told of, until it is added again."""
    stream = signals.create(events_requested=[SESSION_REVOKED])
    at = {"stream_id": stream["stream_id"]}
    subject = {"subject": user(world)}
    assert signals.call("remove_subject_endpoint", members=at | subject) == (204, None)
    world.grant().revoke(BY_TEST, WHY)
    world.grant(subject="user-2").revoke(BY_TEST, WHY)
    deliver()
    (told,) = signals.drain(stream)
    assert told["sub_id"]["user"]["sub"] == "user-2"
    add = at | subject | {"verified": True}
    assert signals.call("add_subject_endpoint", members=add) == (200, None)
    world.grant().revoke(BY_TEST, WHY)
    deliver()
    assert len(signals.drain(stream)) == 2


def test_complex_subjects(world, signals):
    """An event is about a removed subject where it has each of its members."""
    stream = signals.create(events_requested=ALL)
    at = {"stream_id": stream["stream_id"]}
    app = {"format": "opaque", "id": "app-1"}
    both = {"format": "complex", "user": user(world), "application": app}
    signals.call("remove_subject_endpoint", members=at | {"subject": both})
    world.client.lock(BY_TEST, WHY)
    world.grant().revoke(BY_TEST, WHY)
    deliver()
    assert [one["sub_id"].keys() for one in signals.drain(stream)] == [{"format", "application"}]


@pytest.mark.parametrize(
    "subject",
    [
        {"format": "email", "email": "a@b.example"},
        {"format": "iss_sub", "iss": "https://other.example", "sub": "user-1"},
        {"format": "complex"},
        {"format": "complex", "device": {"format": "opaque", "id": "x"}},
        {"format": "complex", "user": {"format": "opaque", "id": "x"}},
        {"format": "complex", "grant": "x"},
        {"format": "complex", "grant": {"format": "opaque", "id": ""}},
        {"format": "complex", "grant": {"format": "opaque", "id": 1}},
    ],
)
def test_subject_unknown(signals, subject):
    stream = signals.create()
    members = {"stream_id": stream["stream_id"], "subject": subject}
    before = GrantEvent.objects.count()
    for endpoint in ("add_subject_endpoint", "remove_subject_endpoint"):
        status, answer = signals.call(endpoint, members=members)
        assert (status, answer["resultCode"]) == (404, "A296202")
    assert GrantEvent.objects.count() == before


def test_a_key_is_rotated(world, signals, push, receiver, capsys):
    """What is signed with the old key is verified until the overlap ends."""
    stream = signals.create(events_requested=[SESSION_REVOKED])
    world.grant().revoke(BY_TEST, WHY)
    deliver()
    (old,) = signals.poll(stream)["sets"].values()
    before = set(signals.keys)
    call_command("rotate_signing_key", service=world.service.pk)
    assert next(iter(before)) not in capsys.readouterr().out
    (new,) = signals.poll(stream)["sets"].values()  # verified: it fetched the keys again
    assert len(signals.keys) == 2
    signals.verify(old)
    assert old.split(".")[0] != new.split(".")[0]
    call_command("rotate_signing_key", service=world.service.pk, overlap=0)
    signals.fetch_keys()
    assert len(signals.keys) == 1
    for token in (old, new):
        with pytest.raises(Rejected):
            signals.verify(token)
    assert GrantEvent.objects.filter(kind="signing_key_rotated").count() == 2


def test_private_keys_are_sealed(world, signals, settings):
    stream = signals.create(events_requested=[SESSION_REVOKED])
    key = SigningKey.objects.get()
    assert b"PRIVATE" not in bytes(key.sealed)
    assert not set(key.jwk) & {"d", "p", "q", "dp", "dq", "qi"}
    world.grant().revoke(BY_TEST, WHY)
    deliver()
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | {"ENCRYPTION_KEYS": []}
    url = stream["delivery"]["endpoint_url"]
    status, answer = signals.send("POST", url, {})
    assert (status, answer["resultCode"]) == (409, "A296203")


def test_a_token_that_was_revoked_gets_nothing(world, signals, push, receiver):
    push(SESSION_REVOKED)
    world.grant().revoke(BY_TEST, WHY)
    number_waiting()
    ApiToken.objects.get(can_manage_streams=True).revoke(BY_TEST)
    world.grant().revoke(BY_TEST, WHY)
    deliver()
    assert receiver.came == []
    assert StreamDelivery.objects.count() == 1


def test_a_worker_that_died(world, signals, push):
    """Its delivery is made by another one once the claim ends: the same SET again."""
    push(SESSION_REVOKED)
    world.grant().revoke(BY_TEST, WHY)
    number_waiting()
    claimed = StreamDelivery.objects.claim()
    assert StreamDelivery.objects.claim() is None
    StreamDelivery.objects.update(claimed_until=claimed.claimed_until - LEASE - timedelta(1))
    deliver()
    assert signals.types() == [SESSION_REVOKED]
    claimed.end_attempt("refused", now(), now())
    assert StreamDelivery.objects.get().state == "delivered"


def test_what_nobody_fetches_is_purged(world, signals, settings):
    stream = signals.create(events_requested=[SESSION_REVOKED])
    world.grant().revoke(BY_TEST, WHY)
    deliver()
    list(purge_all(500))
    assert len(signals.poll(stream)["sets"]) == 1
    from grant_management.db.ids import uuid7

    StreamDelivery.objects.update(id=uuid7(now() - KEPT_FOR - timedelta(days=1)))
    list(purge_all(500))
    assert signals.poll(stream) == {"sets": {}}


def test_a_deleted_stream(world, signals, push, receiver):
    stream = push(SESSION_REVOKED)
    world.grant().revoke(BY_TEST, WHY)
    number_waiting()
    at = {"stream_id": stream["stream_id"]}
    assert signals.call("configuration_endpoint", "DELETE", **at) == (204, None)
    deliver()
    assert receiver.came == []
    list(purge_all(500))
    assert not Stream.objects.exists()


def test_an_event_that_was_purged(world, signals):
    stream = signals.create(events_requested=[SESSION_REVOKED])
    world.grant().revoke(BY_TEST, WHY)
    deliver()
    StreamDelivery.objects.update(event=StreamDelivery.objects.get().pk)
    assert signals.poll(stream) == {"sets": {}}
    assert StreamDelivery.objects.get().state == "dead"


def test_two_receivers(world, signals, receiver):
    """Each has a stream and a name of its own, and neither sees the other's."""
    mine = signals.create(events_requested=[SESSION_REVOKED])
    other = receiver_of(world, receiver)
    theirs = other.create(events_requested=[SESSION_REVOKED])
    assert mine["aud"] != theirs["aud"]
    world.grant().revoke(BY_TEST, WHY)
    deliver()
    (one,), (two,) = signals.drain(mine), other.drain(theirs)
    assert (one["txn"], one["aud"], two["aud"]) == (two["txn"], mine["aud"], theirs["aud"])
    assert one["jti"] != two["jti"]
    assert signals.call("configuration_endpoint", "GET")[1] == [mine]
