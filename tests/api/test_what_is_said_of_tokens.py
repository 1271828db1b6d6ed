"""What is said of a token is what would happen to it, at every door that says something."""

import json
from datetime import timedelta

import pytest
from django.test import Client as HTTP
from django.urls import reverse

from grant_management.models import AccessToken, Grant, RefreshToken, TokenStatus
from grant_management.models.purge import purge

from ..world import BY_TEST, now


@pytest.fixture
def store(world):
    def send(path, **members):
        response = HTTP().post(
            f"/api/{world.service.pk}/{path}",
            json.dumps(members),
            content_type="application/json",
            headers={"Authorization": f"Bearer {world.api_token}"},
        )
        return json.loads(response.content)

    return send


def issue(store, grant, **members):
    made = {"grantType": "AUTHORIZATION_CODE", "clientIdentifier": "app-1", "subject": "user-1"}
    return store("auth/token/create", grantId=grant.grant_id, **(made | members))


class TestItsEnd:
    """With its grant at the latest (RFC 7662 §2.2)."""

    def test_of_a_new_one(self, world, store):
        end = now() + timedelta(seconds=60)
        grant = world.grant(expires_at=end)
        made = issue(store, grant)
        assert made["expiresAt"] <= end.timestamp() * 1_000
        assert made["expiresIn"] <= 60
        refreshed = store(
            "tokens/refresh", clientIdentifier="app-1", refreshToken=made["refreshToken"]
        )
        assert refreshed["expiresAt"] <= end.timestamp() * 1_000
        for name in ("accessToken", "refreshToken"):
            assert store("introspect", token=refreshed[name])["exp"] <= end.timestamp()

    def test_of_one_that_never_ends_by_itself(self, world, store):
        end = now() + timedelta(seconds=60)
        value = world.token(world.grant(expires_at=end), expires_at=None)
        assert store("introspect", token=value)["exp"] == int(end.timestamp())

    def test_of_one_whose_grant_ends_sooner_than_it_did(self, world, store):
        grant = world.grant()
        value, refresh = world.token(grant), world.refresh_token(grant)
        end = now() + timedelta(seconds=30)
        changed = store(
            f"grants/{grant.grant_id}/merge", claims=["x"], expiresAt=int(end.timestamp() * 1_000)
        )
        assert changed["resultCode"] == "A291001"
        assert store("introspect", token=value)["exp"] == int(end.timestamp())
        said = store("auth/introspection", token=value)
        assert said["expiresAt"] == int(end.timestamp() * 1_000)
        assert store("introspect", token=refresh) == {"active": False}


class TestRefreshable:
    @pytest.fixture
    def said(self, world, store):
        grant = world.grant(expires_at=now() + timedelta(hours=2))
        made = issue(store, grant)

        def ask():
            answer = store("auth/introspection", token=made["accessToken"])
            members = {"clientIdentifier": "app-1", "refreshToken": made["refreshToken"]}
            if not answer["refreshable"]:
                assert store("tokens/refresh", **members)["resultCode"] == "A291301"
            return answer["refreshable"]

        ask.grant = grant
        return ask

    def test_a_live_one(self, said):
        assert said()

    def test_client_locked(self, world, said):
        world.client.lock(BY_TEST, why())
        assert not said()

    @pytest.mark.parametrize("of", ["client", "service"])
    def test_cut_off(self, world, said, of):
        getattr(world, of).move_cut_off(BY_TEST, why())
        assert not said()

    def test_grant_expired(self, said):
        Grant.objects.update(expires_at=now() - timedelta(seconds=1))
        assert not said()

    def test_merged(self, said, store):
        store(f"grants/{said.grant.grant_id}/merge", claims=["x"])
        assert not said()


def why():
    from grant_management.models import Reason

    return Reason("other")


def test_old_tokens_of_a_replaced_grant_are_superseded(world, store, admin_client):
    grant = world.grant()
    value = world.token(grant)
    store(f"grants/{grant.grant_id}/replace", claims=["x"])
    token = AccessToken.objects.presented(world.service, value)
    assert token.status(now()) is TokenStatus.SUPERSEDED
    page = admin_client.get(reverse("admin:grant_management_grant_change", args=[grant.pk]))
    assert "Superseded" in page.content.decode()
    assert "Grant not active" not in page.content.decode()
    grant.revoke(BY_TEST, why())
    token = AccessToken.objects.presented(world.service, value)
    assert token.status(now()) is TokenStatus.GRANT_DEAD


class TestPurgeOfTokensWithoutAnEnd:
    """Dead for long, they go; alive, or dead for a short while, they stay."""

    LONG_AGO = timedelta(days=31)

    def kept(self, world):
        for model in (AccessToken, RefreshToken):
            list(purge(model, world.service, 2))
        return AccessToken.objects.count() + RefreshToken.objects.count()

    def test_revoked(self, world):
        for at, stay in ((now() - self.LONG_AGO, 0), (now(), 2), (None, 2)):
            AccessToken.objects.all().delete()
            RefreshToken.objects.all().delete()
            for make in (world.token, world.refresh_token):
                make(None, expires_at=None, revoked_at=at)
            assert self.kept(world) == stay

    def test_superseded_or_of_a_revoked_grant(self, world):
        old = now() - self.LONG_AGO
        dead = {"access_generation": 1, "refresh_generation": 1}
        alive = world.grant(last_updated_at=old)
        for grant in (
            world.grant(revoked_at=old, **dead),
            world.grant(last_updated_at=old, **dead),
            world.grant(last_updated_at=now(), **dead),
            alive,
        ):
            for _ in range(3):
                world.token(grant, expires_at=None)
            world.refresh_token(grant, expires_at=None)
        assert self.kept(world) == 8
        assert AccessToken.objects.filter(grant=alive).count() == 3
