"""The commands, as an operator types them."""

import io
import json
import uuid
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from grant_management.models import (
    AccessToken,
    Actor,
    ApiToken,
    Client,
    DPoPNonce,
    Grant,
    GrantEvent,
    IdempotencyKey,
    Organization,
    OrganizationEvent,
    RefreshToken,
    SelfServiceToken,
    Service,
    UsedProof,
)

from ..world import now


def run(*arguments, as_json=True):
    out = io.StringIO()
    call_command(*map(str, arguments), *(["--json"] if as_json else []), stdout=out)
    return json.loads(out.getvalue()) if as_json else out.getvalue()


def test_from_nothing_to_a_call(db, post):
    """Organization, service, API token: then the API answers."""
    assert run("create_organization", "Example Bank", "--id", 1) == {
        "id": 1,
        "name": "Example Bank",
    }
    endpoint = "https://as.example.com/gm"
    assert run(
        "create_service",
        "--organization",
        1,
        "--name",
        "Retail",
        "--id",
        1001,
        "--grant-management-endpoint",
        endpoint,
    ) == {"id": 1001, "name": "Retail"}
    issued = run("issue_api_token", "--service", 1001, "--description", "CI")
    assert issued.keys() == {"tokenId", "accessToken", "kind"}
    assert post("/api/1001/auth/gm", {}, api_token=issued["accessToken"]).code == "A278201"
    assert run("revoke_api_token", issued["tokenId"])["revoked"] is True
    assert run("revoke_api_token", issued["tokenId"])["revoked"] is False
    assert post("/api/1001/auth/gm", {}, api_token=issued["accessToken"]).code == "A458101"
    assert Service.objects.get().grant_management_endpoint == endpoint


def test_numbers_are_drawn(db):
    first, second = run("create_organization", "A"), run("create_organization", "A")
    assert first["id"] != second["id"]
    assert all(0 < one["id"] < 2**53 for one in (first, second))


def test_value_of_an_api_token_is_kept_nowhere(world):
    issued = run(
        "issue_api_token",
        "--organization",
        world.service.organization_id,
        "--can-manage-tokens",
        "--expires-in",
        60,
    )
    token = ApiToken.objects.get(pk=issued["tokenId"])
    assert (issued["kind"], token.kind, token.can_manage_tokens) == (
        "organization",
        "organization",
        True,
    )
    assert len(issued["accessToken"]) == 43
    assert timedelta(0) < token.expires_at - now() <= timedelta(seconds=60)
    assert issued["accessToken"] not in str(vars(token))
    assert issued["accessToken"].startswith(token.prefix)


def test_plain_answers(world):
    said = run("issue_api_token", "--service", world.service.pk, as_json=False)
    assert "shown this once" in said
    assert "All of service" in run("set_cut_off", "--service", world.service.pk, as_json=False)


REFUSED = {
    "name empty": ("create_organization", ""),
    "name too long": ("create_organization", "x" * 256),
    "id zero": ("create_organization", "x", "--id", "0"),
    "id beyond": ("create_organization", "x", "--id", str(2**63)),
    "organization unknown": ("create_service", "--organization", "5", "--name", "x"),
    "organization beyond": ("create_service", "--organization", str(2**63), "--name", "x"),
    "owner of two kinds": ("issue_api_token", "--service", "1", "--organization", "1"),
    "owner of none": ("issue_api_token",),
    "service unknown": ("issue_api_token", "--service", "1"),
    "cut-off unknown": ("set_cut_off", "--service", "1"),
    "client unknown": ("lock_client", "--service", "1", "--client", "x"),
    "token unknown": ("revoke_api_token", str(uuid.uuid4())),
    "token no UUID": ("revoke_api_token", "x"),
}


@pytest.mark.parametrize("arguments", REFUSED.values(), ids=REFUSED)
def test_refused(db, arguments):
    with pytest.raises(CommandError):
        run(*arguments)
    assert not Organization.objects.exists()


def test_refused_for_a_world(world):
    number = world.service.organization_id
    for arguments in (
        ("create_organization", "again", "--id", number),
        (
            "create_service",
            "--organization",
            number,
            "--name",
            "x",
            "--grant-management-endpoint",
            "/gm",
        ),
        ("issue_api_token", "--service", world.service.pk, "--can-manage-tokens"),
        ("issue_api_token", "--service", world.service.pk, "--expires-in", 0),
        ("issue_api_token", "--service", world.service.pk, "--description", "x" * 256),
        ("lock_client", "--service", world.service.pk, "--client", "unknown"),
    ):
        with pytest.raises(CommandError):
            run(*arguments)
    assert (Organization.objects.count(), Service.objects.count(), ApiToken.objects.count()) == (
        1,
        1,
        1,
    )


STOPPED = ("grants", "access_tokens", "refresh_tokens")


def test_lock_and_unlock(world, call):
    grant = world.grant()
    members = {"gmAction": "QUERY", "grantId": grant.grant_id, "accessToken": world.token(grant)}
    which = ("--service", world.service.pk, "--client", "app-1")
    stamp = run("lock_client", *which)["lockedAt"]
    assert call(**members).code == "A280304"
    assert run("lock_client", *which)["lockedAt"] == stamp
    assert run("unlock_client", *which)["lockedAt"] is None
    run("unlock_client", *which)
    assert call(**members).action == "OK"
    kinds = list(GrantEvent.objects.order_by("at").values_list("kind", flat=True))
    assert kinds == ["client_locked", "client_unlocked"]
    stops = GrantEvent.objects.get(kind="client_locked").details["stops"]
    assert [stops[name]["number"] for name in STOPPED] == [1, 1, 0]


@pytest.mark.parametrize("of_client", [True, False])
def test_cut_off(world, call, of_client):
    grant = world.grant()
    members = {"gmAction": "QUERY", "grantId": grant.grant_id, "accessToken": world.token(grant)}
    client = ("--client", "app-1") if of_client else ()
    answer = run(
        "set_cut_off", "--service", world.service.pk, *client, "--reason", "compromised key"
    )
    assert answer["notBefore"]
    assert call(**members).code == "A280302"
    assert Client.objects.get().not_before is None or of_client
    event = GrantEvent.objects.get()
    assert (event.kind, event.actor, event.reason) == ("cut_off", "set_cut_off", "compromised key")
    assert [event.details["stops"][name]["number"] for name in STOPPED] == [1, 1, 0]


@pytest.mark.parametrize("batch_size", [2, 500])
def test_purge_takes_the_expired_and_nothing_else(world, batch_size, django_assert_max_num_queries):
    past, future = now() - timedelta(seconds=10), now() + timedelta(hours=1)
    grant = world.grant(expires_at=past)
    long_ago = now() - timedelta(days=2)
    for _ in range(5):
        world.grant(pending=True, created_at=long_ago)
    held = world.grant(pending=True, created_at=long_ago)
    world.token(held, expires_at=future)
    fresh = world.grant(pending=True)
    for expires_at in [past] * 5 + [future, None]:
        world.token(grant, expires_at=expires_at)
        world.refresh_token(grant, expires_at=expires_at)
    for number, expires_at in enumerate([past] * 5 + [future]):
        UsedProof.objects.burn(world.service, jkt="k" * 43, jti=str(number), expires_at=expires_at)
        DPoPNonce.objects.create(
            service=world.service,
            duration=1,
            window=number,
            value="x",
            not_before=past,
            expires_at=expires_at,
        )
    for number, expires_at in enumerate([past] * 5 + [future]):
        api_token = ApiToken.objects.get()
        IdempotencyKey.objects.create(
            service=world.service,
            api_token=api_token,
            digest=bytes([number]),
            body_digest=b"x",
            expires_at=expires_at,
        )
        SelfServiceToken.objects.create(
            service=world.service,
            api_token=api_token,
            digest=bytes([number]),
            issued_at=now(),
            expires_at=expires_at,
        )
    kinds = ("usedproof", "dpopnonce", "idempotencykey", "selfservicetoken")
    kinds += ("accesstoken", "refreshtoken", "grant")
    expected = dict.fromkeys(kinds, 5) | {"grantevent": 0, "organizationevent": 0, "call": 0}
    expected |= {"outboxentry": 0, "webhookdelivery": 0, "webhook": 0}
    expected |= {"streamdelivery": 0, "stream": 0, "signingkey": 0}
    assert run("purge_expired", "--dry-run") == expected
    assert AccessToken.objects.count() == 8
    with django_assert_max_num_queries(250):
        assert run("purge_expired", "--batch-size", batch_size) == expected
    assert run("purge_expired") == dict.fromkeys(expected, 0)
    for model, left in (
        (Grant, 3),
        (AccessToken, 3),
        (RefreshToken, 2),
        (UsedProof, 1),
        (DPoPNonce, 1),
        (IdempotencyKey, 1),
        (SelfServiceToken, 1),
    ):
        assert model.objects.count() == left
    assert set(Grant.objects.all()) == {grant, held, fresh}


@pytest.mark.parametrize("batch_size", [2, 500])
def test_events_go_by_retention_alone(world, settings, batch_size):
    for days in (400, 399, 398, 10):
        GrantEvent.objects.record(
            "imported", world.service.pk, now() - timedelta(days=days), Actor.command("x")
        )
    OrganizationEvent.objects.record(
        "imported", world.service.organization_id, now() - timedelta(days=400), Actor.command("x")
    )
    OrganizationEvent.objects.record("imported", None, now(), Actor.command("x"))
    assert run("purge_expired")["grantevent"] == 0
    settings.GRANT_MANAGEMENT = {"EVENT_RETENTION_DAYS": 365}
    said = run("purge_expired", "--dry-run")
    assert (said["grantevent"], said["organizationevent"]) == (3, 1)
    said = run("purge_expired", "--batch-size", batch_size)
    assert (said["grantevent"], said["organizationevent"]) == (3, 1)
    assert GrantEvent.objects.count() == OrganizationEvent.objects.count() == 1


def test_a_value_that_begins_with_a_dash(world):
    """argparse takes it for an option; the message says how it is typed, and that works."""
    client = world.client
    Client.objects.filter(pk=client.pk).update(client_id="-app")
    which = ("lock_client", "--service", world.service.pk)
    with pytest.raises(CommandError, match="begins with - is given as --client=VALUE"):
        run(*which, "--client", "-app")
    assert run(*which, "--client=-app")["lockedAt"]
    with pytest.raises(CommandError, match=r"invalid int value: 'x'$"):
        run("lock_client", "--service", "x", "--client=-app")
