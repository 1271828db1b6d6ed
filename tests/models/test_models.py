"""Rules of the tables."""

import uuid
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction

from grant_management.db.ids import uuid7
from grant_management.models import (
    Actor,
    ApiToken,
    DPoPNonce,
    GrantEvent,
    GrantStatus,
    Reason,
    UsedProof,
)
from grant_management.signals import grant_revoked

from ..world import make_world, now

SMALL = {
    "Organization",
    "OrganizationEvent",
    "OrganizationMember",
    "Service",
    "ApiToken",
    "EventChain",
    "Tally",
    "PurgeRun",
    "ListColumns",
    "SavedView",
    "OperatorPreference",
}
QUEUES = {
    "OutboxEntry",
    "OutboxHead",
    "WebhookDelivery",
    "WebhookAttempt",
    "WebhookKey",
    "StreamDelivery",
}
"""Whoever comes works on what is due, of all tenants; nothing else looks for a row there."""
BY_GRANT = {"gm_accesstoken_grant", "gm_refreshtoken_grant"}
"""What the database's own check of a foreign key reads when a grant is deleted."""


@pytest.mark.parametrize(
    "model",
    list(apps.get_app_config("grant_management").get_models()),
    ids=lambda model: model.__name__,
)
def test_service_leads_every_key_and_index(model):
    """That is what lets the tables be sharded by tenant."""
    if model.__name__ in SMALL | QUEUES:
        return
    leading = [constraint.fields[0] for constraint in model._meta.constraints]
    indexes = [one for one in model._meta.indexes if one.name not in BY_GRANT]
    leading += [one.fields[0] if one.fields else one.expressions[0].name for one in indexes]
    assert set(leading) == {"service"}
    for field in model._meta.local_concrete_fields:
        assert not field.db_index
        assert field.primary_key or not field.unique


def test_uuid7():
    """RFC 9562 §5.7: version, variant, and the order of time."""
    made = [uuid7() for _ in range(200)]
    assert all((one.version, one.variant) == (7, uuid.RFC_4122) for one in made)
    assert len(set(made)) == 200
    # To the microsecond (§6.2, method 3): what one thread makes one after another is in that order.
    assert [one.int >> 64 for one in made] == sorted(one.int >> 64 for one in made)
    assert abs((made[0].int >> 80) - now().timestamp() * 1_000) < 60_000


def test_events_are_append_only(world):
    event = GrantEvent.objects.record("revoked", world.service.pk, now(), Actor.operator("eve"))
    rows = GrantEvent.objects.all()
    for change in (
        event.save,
        event.delete,
        rows.delete,
        lambda: rows.update(actor="x"),
        lambda: rows.bulk_update([event], ["actor"]),
        lambda: GrantEvent.objects.update(actor="x"),
    ):
        with pytest.raises(TypeError):
            change()
    assert GrantEvent.objects.get().actor == "eve"


def test_revoke_and_its_event_are_one_transaction(world, monkeypatch):
    grant = world.grant()

    def fail(*args, **kwargs):
        raise IntegrityError

    monkeypatch.setattr(GrantEvent, "save", fail)
    with pytest.raises(IntegrityError):
        grant.revoke(Actor.operator("ann"), Reason("other"))
    grant.refresh_from_db()
    assert grant.revoked_at is None


def test_signal_comes_after_commit_and_harms_nobody(world, django_capture_on_commit_callbacks):
    heard = []

    def hear(grants, events, **kwargs):
        heard.append((grants[0].pk, events[0].actor))
        raise ZeroDivisionError

    grant_revoked.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            grant = world.grant()
            assert grant.revoke(Actor.operator("ann"), Reason("other"))
            assert heard == []
        assert heard == [(grant.pk, "ann")]
        with django_capture_on_commit_callbacks(execute=True):
            assert not grant.revoke(Actor.operator("bob"), Reason("other"))
        assert len(heard) == 1
    finally:
        grant_revoked.disconnect(hear)


def test_status(world):
    later = now() + timedelta(seconds=1)
    assert world.grant().status(now()) is GrantStatus.ACTIVE
    assert world.grant(pending=True).status(now()) is GrantStatus.PENDING
    assert world.grant(expires_at=later).status(later) is GrantStatus.EXPIRED
    assert world.grant(revoked_at=later, expires_at=later).status(now()) is GrantStatus.REVOKED
    world.service.not_before = later
    assert world.grant().status(now()) is GrantStatus.CUT_OFF


def test_first_use_of_a_proof(world):
    burn = {"jkt": "k" * 43, "jti": "x", "expires_at": now()}
    assert UsedProof.objects.burn(world.service, **burn)
    assert not UsedProof.objects.burn(world.service, **burn)
    assert UsedProof.objects.burn(world.service, **burn | {"jkt": "l" * 43})
    assert UsedProof.objects.burn(make_world().service, **burn)


class TestNonces:
    def at(self, world, seconds):
        from datetime import UTC, datetime

        return DPoPNonce.objects.at(world.service, datetime.fromtimestamp(3_000_000 + seconds, UTC))

    def test_windows(self, world):
        """Taken for its own window and the next; handed out in its own."""
        first = self.at(world, 0)
        assert self.at(world, 299) == first
        second = self.at(world, 300)
        assert (second.previous, second.accept(first.current)) == (first.current, True)
        third = self.at(world, 600)
        assert not third.accept(first.current)
        assert third.accept(second.current)
        assert not third.accept(None)
        assert not third.accept("")
        assert DPoPNonce.objects.count() == 3

    def test_gap(self, world):
        self.at(world, 0)
        assert self.at(world, 900).previous is None

    def test_change_of_duration_strands_nobody(self, world):
        """Also where a window of the new length has the same number or start as an old one."""
        before = self.at(world, 0)
        for duration in (60, 600, 300, 299):
            world.service.dpop_nonce_duration = duration
            assert self.at(world, 1).current
        world.service.dpop_nonce_duration = 300
        assert self.at(world, 2) == before

    def test_deleting_the_row_makes_a_new_one(self, world):
        before = self.at(world, 0)
        DPoPNonce.objects.all().delete()
        assert not self.at(world, 1).accept(before.current)


def test_service_tokens_never_manage_tokens(world):
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiToken.objects.update(can_manage_tokens=True)
