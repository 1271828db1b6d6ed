"""The plain admin: shows, hides credentials, and revokes by the one path."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from grant_management.models import (
    AccessToken,
    Actor,
    ApiToken,
    DPoPNonce,
    Grant,
    GrantEvent,
    Reason,
    RefreshToken,
)
from grant_management.protocol.digests import sha256

from .world import now

MODELS = [
    "organization",
    "service",
    "client",
    "apitoken",
    "grant",
    "accesstoken",
    "refreshtoken",
    "dpopnonce",
    "grantevent",
]


@pytest.fixture
def grant(world):
    grant = world.grant()
    world.token(grant, value="clear-access")
    world.refresh_token(grant, value="clear-refresh")
    DPoPNonce.objects.at(world.service, now())
    return grant


def pages(name):
    from django.apps import apps

    model = apps.get_model("grant_management", name)
    yield reverse(f"admin:grant_management_{name}_changelist")
    for row in model.objects.all():
        yield reverse(f"admin:grant_management_{name}_change", args=[row.pk])


@pytest.mark.parametrize("name", MODELS)
def test_every_page_opens_and_holds_no_credential(admin_client, world, grant, name):
    world.client.move_cut_off(now(), Actor.operator("ann"), Reason("other"))
    digests = [
        bytes(row.digest)
        for model in (AccessToken, RefreshToken, ApiToken)
        for row in model.objects.all()
    ]
    seen = list(pages(name))
    assert len(seen) >= 2
    for url in seen:
        response = admin_client.get(url)
        assert response.status_code == 200
        text = response.content.decode()
        for secret in ("clear-access", "clear-refresh", world.api_token):
            assert secret not in text
        for digest in digests:
            assert digest.hex() not in text
            assert str(digest) not in text


@pytest.mark.parametrize("name", MODELS)
def test_nothing_is_added_changed_or_deleted(admin_client, world, grant, name):
    world.client.move_cut_off(now(), Actor.operator("ann"), Reason("other"))
    change = list(pages(name))[-1]
    assert admin_client.get(reverse(f"admin:grant_management_{name}_add")).status_code == 403
    assert admin_client.post(change, {}).status_code == 403
    delete = change.replace("/change/", "/delete/")
    assert admin_client.post(delete, {"post": "yes"}).status_code == 403
    listing = admin_client.get(reverse(f"admin:grant_management_{name}_changelist"))
    assert b"delete_selected" not in listing.content


def revoke_url(grant):
    return reverse("admin:grant_management_grant_revoke", args=[grant.pk])


def test_revoke_by_hand(admin_client, grant, call):
    page = admin_client.get(reverse("admin:grant_management_grant_change", args=[grant.pk]))
    assert revoke_url(grant).encode() in page.content
    said = admin_client.get(revoke_url(grant)).content.decode()
    assert "1 grants" in said
    assert "1 access tokens" in said
    assert "1 refresh tokens" in said
    response = admin_client.post(
        revoke_url(grant),
        {"reason": "requested by user", "note": "called", "ticket": "T-1"},
        follow=True,
    )
    assert "The grant was revoked." in response.content.decode()
    assert revoke_url(grant) not in response.content.decode()
    event = GrantEvent.objects.get()
    assert (event.kind, event.actor_kind, event.actor) == ("revoked", "operator", "admin")
    assert (event.reason, event.note, event.ticket) == ("requested by user", "called", "T-1")
    assert (
        call(gmAction="QUERY", grantId=grant.grant_id, accessToken="clear-access").code == "A280303"
    )


def test_revoking_twice_writes_one_event(admin_client, grant):
    for _ in range(2):
        response = admin_client.post(revoke_url(grant), {"reason": "other"}, follow=True)
    assert "had been revoked before" in response.content.decode()
    assert GrantEvent.objects.count() == 1


@pytest.mark.parametrize(
    "data", [{}, {"reason": "because"}, {"reason": "other", "ticket": "x" * 256}]
)
def test_a_reason_is_needed(admin_client, grant, data):
    assert admin_client.post(revoke_url(grant), data).status_code == 200
    assert not GrantEvent.objects.exists()


def test_looking_at_the_page_revokes_nothing(admin_client, grant):
    admin_client.get(revoke_url(grant), {"reason": "other"})
    assert Grant.objects.get().revoked_at is None


@pytest.mark.parametrize(
    ("permissions", "status"),
    [
        ([], 403),
        (["view_grant"], 403),
        (["revoke_grant"], 403),
        (["view_grant", "revoke_grant"], 302),
    ],
)
def test_who_may_revoke(client, django_user_model, grant, permissions, status):
    user = django_user_model.objects.create_user("ann", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    assert client.post(revoke_url(grant), {"reason": "other"}).status_code == status
    assert GrantEvent.objects.exists() == (status == 302)
    page = client.get(reverse("admin:grant_management_grant_change", args=[grant.pk]))
    if page.status_code == 200:
        assert (revoke_url(grant).encode() in page.content) == (
            status == 302 and not Grant.objects.get().revoked_at
        )


def test_strangers_log_in_first(client, grant):
    assert client.post(revoke_url(grant), {"reason": "other"}).status_code == 302
    assert not GrantEvent.objects.exists()


def test_unknown_grant(admin_client, world):
    url = reverse("admin:grant_management_grant_revoke", args=["nowhere"])
    assert "There is no such grant." in admin_client.get(url, follow=True).content.decode()


def test_search_is_exact(admin_client, world, grant):
    url = reverse("admin:grant_management_grant_changelist")
    for term, found in (
        (grant.grant_id, 1),
        ("user-1", 1),
        ("app-1", 1),
        ("user", 0),
        (grant.grant_id[:8], 0),
    ):
        page = admin_client.get(url, {"q": term})
        assert len(page.context["cl"].result_list) == found


def test_a_digest_is_shown_in_part(admin_client, world, grant):
    page = admin_client.get(reverse("admin:grant_management_accesstoken_changelist"))
    assert sha256("clear-access").hex()[:8] in page.content.decode()
