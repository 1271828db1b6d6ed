"""The hash chain of events: built behind them, and what it notices.

By the commands of docs/reference/events.md.
"""

import base64
import json
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.test.utils import CaptureQueriesContext
from joserfc import jws
from joserfc.jwk import OKPKey

from grant_management.db import primary
from grant_management.events import delivering, verifying
from grant_management.events.delivering import deliver_next
from grant_management.models import (
    ApiToken,
    EventChain,
    EventLink,
    GrantEvent,
    OutboxEntry,
    Stream,
    Webhook,
    WebhookDelivery,
)
from grant_management.models.purge import purge_all

from ..docs.pages import typed
from ..ours import connection
from ..world import BY_TEST, later, now
from .conftest import WHY


@pytest.fixture(autouse=True)
def keys(settings):
    keys = {
        name: [Fernet.generate_key().decode()] for name in ("EVENT_SIGNING_KEYS", "ENCRYPTION_KEYS")
    }
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | keys


def run(name, *arguments):
    said = StringIO()
    call_command(name, *map(str, arguments), stdout=said, stderr=StringIO())
    return said.getvalue()


def build():
    while deliver_next():
        pass


@pytest.fixture
def chained(world):
    """A service with a chain of six links, of which two are from before."""
    world.client.lock(BY_TEST, WHY)
    world.client.unlock(BY_TEST, WHY)
    run("publish_events", "--service", world.service.pk)
    world.service.refresh_from_db()
    for _ in range(3):
        world.grant().revoke(BY_TEST, WHY)
    build()
    assert EventLink.objects.count() == 6
    return world.service


def found(service, head=""):
    chain = EventChain.objects.get(pk=service.pk)
    return [(one.what, one.position, one.event) for one in verifying.findings(chain, head)]


def links():
    return list(EventLink.objects.order_by("position"))


def rewrite(event, **fields):
    """As somebody does who can write to the database."""
    rows = GrantEvent.objects.filter(pk=event)
    sets = ", ".join(f'"{name}" = %s' for name in fields)
    key = rows.query.model._meta.pk.get_db_prep_value(event, connection)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE grant_management_grantevent SET {sets} WHERE id = %s", [*fields.values(), key]
        )


def erase(event):
    rows = GrantEvent.objects.filter(pk=event)
    rows._raw_delete(rows.db)


def test_a_chain_that_is_whole(world, chained):
    assert found(chained) == []
    assert json.loads(run("verify_events", "--json")) == {"events": 6, "findings": []}
    world.client.lock(BY_TEST, WHY)  # not linked yet
    assert found(chained) == []
    build()
    assert found(chained) == []


@pytest.mark.parametrize("column", ["actor", "reason", "note", "grant_id", "kind"])
def test_an_event_that_was_changed(chained, column):
    third = links()[2]
    rewrite(third.event, **{column: "other"})
    assert found(chained) == [(verifying.CHANGED, 3, third.event)]
    with pytest.raises(CommandError, match="not as they were"):
        run("verify_events", "--service", chained.pk)


def test_an_event_that_was_removed(chained):
    third = links()[2]
    erase(third.event)
    assert found(chained) == [(verifying.REMOVED, 3, third.event)]


def test_an_event_that_was_removed_with_its_link(chained):
    third = links()[2]
    erase(third.event)
    third.delete()
    assert found(chained) == [(verifying.LINK_REMOVED, 3, None)]


def test_the_last_event_removed_with_its_link(chained):
    last = links()[-1]
    erase(last.event)
    last.delete()
    assert found(chained) == [(verifying.END_REMOVED, 5, None)]


def test_an_event_that_was_inserted(world, chained):
    """Straight into its table."""
    event = GrantEvent.about("revoked", now(), BY_TEST, service_id=world.service.pk)
    event.save()
    assert found(chained) == [(verifying.INSERTED, None, event.pk)]
    run("publish_events", "--service", chained.pk)  # does not help
    build()
    assert found(chained) == [(verifying.INSERTED, None, event.pk)]


def test_links_that_were_moved(chained):
    _first, second, third, *_rest = links()
    for link, position in ((second, 100), (third, 2), (second, 3)):
        EventLink.objects.filter(pk=link.pk).update(position=position)
    moved = {event for what, _position, event in found(chained) if what == verifying.MOVED}
    assert {second.event, third.event} <= moved


def test_an_event_that_took_anothers_place(chained):
    _first, second, third, *_rest = links()
    spare = GrantEvent.objects.create(
        id="00000000-0000-7000-8000-000000000000", kind="x", at=now(), service=chained
    )
    EventLink.objects.filter(pk=second.pk).update(event=spare.pk)
    EventLink.objects.filter(pk=third.pk).update(event=second.event)
    EventLink.objects.filter(pk=second.pk).update(event=third.event)
    named = {event for _what, _position, event in found(chained)}
    assert {second.event, third.event} <= named


def test_a_head_is_taken_away_as_the_page_says(chained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = ("python3", "run.py", "manage", "--service", "1001")
    ours = ("--service", str(chained.pk))
    export, _, file = typed("reference/events.md", "python3 run.py manage export").partition(" > ")
    words = [word for word in export.split() if word not in given]
    Path(file).write_text(run(*words, *ours))
    verify = typed("reference/events.md", "python3 run.py manage verify")
    words = [word for word in verify.split() if word not in given]
    assert words == ["verify_events", "--head", file]
    run(*words, *ours)


def test_a_head_protects_what_is_before_it(world, chained, tmp_path):
    """Also from somebody who computes the chain anew."""
    file = tmp_path / "head.jws"
    file.write_text(run("export_event_head", "--service", chained.pk))
    world.client.lock(BY_TEST, WHY)
    build()
    run("verify_events", "--service", chained.pk, "--head", file)
    third = links()[2]
    rewrite(third.event, actor="somebody else")
    EventLink.objects.all().delete()
    EventChain.objects.update(number=0, position=0, digest=bytes(32))
    build()
    assert found(chained) == []
    assert found(chained, file.read_text()) == [(verifying.HEAD_DIFFERS, 6, None)]


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # by joserfc; PyJWT knows no other name
def test_any_library_verifies_a_head(chained):
    shown = json.loads(run("export_event_head", "--service", chained.pk, "--json"))
    read = jws.deserialize_compact(
        shown["head"], OKPKey.import_key(shown["jwk"]), algorithms=["EdDSA", "Ed25519"]
    )
    claims = json.loads(read.payload)
    digest = base64.urlsafe_b64encode(bytes(links()[-1].digest)).rstrip(b"=").decode()
    assert (claims["serviceId"], claims["position"], claims["digest"]) == (
        str(chained.pk),
        6,
        digest,
    )


@pytest.mark.parametrize("change", ["x", "other key", "checkpoint"])
def test_a_head_that_is_none(chained, settings, change):
    head = run("export_event_head", "--service", chained.pk)
    if change == "other key":
        others = {"EVENT_SIGNING_KEYS": [Fernet.generate_key().decode()]}
        settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | others
    elif change == "checkpoint":
        chain = EventChain.objects.get()
        chain.move_checkpoint(links()[-1])
        head = chain.checkpoint
        EventChain.objects.update(purged_position=0, purged_digest=bytes(32), checkpoint="")
    else:
        head = head[:-8]
    assert found(chained, head) == [(verifying.HEAD_UNKNOWN, None, None)]


def test_without_a_key_nothing_is_signed(chained, settings):
    settings.GRANT_MANAGEMENT = {}
    with pytest.raises(CommandError, match="EVENT_SIGNING_KEYS"):
        run("export_event_head", "--service", chained.pk)


@pytest.fixture
def purge(settings):
    settings.GRANT_MANAGEMENT = settings.GRANT_MANAGEMENT | {"EVENT_RETENTION_DAYS": 1}

    def act(days=3):
        return later(lambda: list(purge_all(2)), timedelta(days=days))

    return act


def test_a_purge_leaves_a_signed_checkpoint(world, chained, purge):
    head = run("export_event_head", "--service", chained.pk)
    later(lambda: world.client.lock(BY_TEST, WHY), timedelta(days=3))
    build()
    purge(days=3.5)
    assert [one.position for one in links()] == [7]
    assert GrantEvent.objects.count() == 1
    assert found(chained) == []
    assert found(chained, head) == []
    EventChain.objects.update(checkpoint="x")
    assert found(chained) == [(verifying.CHECKPOINT_FORGED, 6, None)]


def test_who_removes_the_beginning_cannot_sign_it(chained):
    """A purge that never was."""
    first, second, *_rest = links()
    for link in (first, second):
        erase(link.event)
        link.delete()
    EventChain.objects.update(purged_position=2, purged_digest=second.digest)
    assert found(chained) == [(verifying.CHECKPOINT_FORGED, 2, None)]


def test_a_purge_ends_before_what_is_still_to_be_delivered(world, chained, purge):
    webhook, _secret = Webhook.objects.register(
        world.service, BY_TEST, signature="v1", url="https://receiver.example/"
    )
    held = links()[3]
    WebhookDelivery.objects.create(
        webhook=webhook, event=held.event, type="x", number=1, created_at=now(), due_at=now()
    )
    purge()
    assert links()[0].pk == held.pk
    assert GrantEvent.objects.filter(pk=held.event).exists()
    assert found(world.service) == []


def test_a_purge_leaves_what_has_no_link_yet(world, chained, purge):
    world.client.lock(BY_TEST, WHY)
    purge()
    assert [one.kind for one in GrantEvent.objects.all()] == ["client_locked"]
    build()
    assert found(chained) == []
    assert [one.position for one in links()] == [7]


def test_a_service_whose_first_listener_is_a_webhook_has_a_chain(world):
    """It begins with what was there before the service published."""
    for _ in range(3):
        world.grant().revoke(BY_TEST, WHY)
    Webhook.objects.register(world.service, BY_TEST, signature="v1", url="https://a.example/")
    world.client.lock(BY_TEST, WHY)
    build()
    in_order = GrantEvent.objects.order_by("at", "pk").values_list("pk", flat=True)
    assert [link.event for link in links()] == list(in_order)
    assert len(links()) == 5
    assert found(world.service) == []
    run("publish_events", "--service", world.service.pk)
    build()
    assert found(world.service) == []


def test_a_service_whose_first_listener_is_a_stream_has_a_chain(world):
    token = ApiToken.objects.get(service=world.service)
    Stream.objects.register(token, world.service, BY_TEST, method="poll")
    build()
    assert [link.position for link in links()] == [1]
    assert found(world.service) == []


def test_what_is_from_before_is_linked_first_however_long_it_is(world, monkeypatch):
    monkeypatch.setattr(delivering, "NUMBERED_AT_ONCE", 2)
    for _ in range(5):
        world.grant().revoke(BY_TEST, WHY)
    Webhook.objects.register(world.service, BY_TEST, signature="v1", url="https://a.example/")
    build()
    assert len(links()) == 6
    assert found(world.service) == []


def test_a_service_that_lost_its_chain_is_named(world, chained):
    EventChain.objects.all().delete()
    said = StringIO()
    with pytest.raises(CommandError, match="not as they were"):
        call_command("verify_events", stdout=StringIO(), stderr=said)
    assert said.getvalue() == f"Service {chained.pk}: It publishes its events, but has no chain.\n"


def test_an_event_that_was_backdated(world, chained, tmp_path):
    """Put into the outbox too, so that it gets a link: at the end, where nobody looks for it."""
    file = tmp_path / "head.jws"
    file.write_text(run("export_event_head", "--service", chained.pk))
    world.client.lock(BY_TEST, WHY)
    long_ago = now() - timedelta(days=30)
    event = GrantEvent.about("revoked", long_ago, BY_TEST, service_id=chained.pk)
    event.save()
    OutboxEntry.objects.put(chained.pk, [event.pk])
    build()
    assert found(chained) == []
    assert found(chained, file.read_text()) == [(verifying.BACKDATED, 8, event.pk)]
    with pytest.raises(CommandError, match="not as they were"):
        run("verify_events", "--service", chained.pk, "--head", file)


def test_a_revoke_touches_no_chain(world, chained):
    grant = world.grant()
    with CaptureQueriesContext(connection) as captured:
        assert grant.revoke(BY_TEST, WHY)
    assert not any("eventchain" in one["sql"] or "eventlink" in one["sql"] for one in captured)


def test_a_revoke_waits_for_no_chain(transactional_db):
    """While another process holds the chain."""
    from ..models.test_outbox import ended, in_thread, only_postgresql
    from ..world import make_world

    only_postgresql()
    world = make_world()
    run("publish_events", "--service", world.service.pk)
    grant = world.grant()
    with primary.atomic():
        assert EventChain.objects.select_for_update().get(pk=world.service.pk)
        ended(*in_thread(lambda: grant.revoke(BY_TEST, WHY)))
    assert GrantEvent.objects.filter(kind="revoked").exists()
    build()
    assert EventLink.objects.count() == OutboxEntry.objects.count()
