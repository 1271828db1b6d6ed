"""The grant's life: the draft's checklist by number, and what must hold in the middle of it."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connections

from grant_management import lifecycle
from grant_management.db import apart
from grant_management.lifecycle import Authorization, GrantAction, Issue, LifecycleError
from grant_management.models import (
    AccessToken,
    Actor,
    Grant,
    GrantEvent,
    GrantStatus,
    Reason,
    RefreshToken,
    TokenStatus,
)
from grant_management.protocol.content import Content

from ..ours import connection
from ..world import BOTH, make_world, now

OPENID = Content(frozenset({("openid", None)}))
REFRESH = Issue(scopes=f"{BOTH} openid", refresh_token="")


def begin(world, action="", grant_id="", subject="user-1", **options):
    return lifecycle.begin(world.client, subject, action, grant_id, **options)


def created(world, content=OPENID, **options):
    return lifecycle.complete(begin(world, "create"), content, **options)


def changed(world, action, grant, content):
    return lifecycle.complete(begin(world, action, grant.grant_id), content)


def refused(error, function, *arguments, **options):
    with pytest.raises(LifecycleError) as refusal:
        function(*arguments, **options)
    assert refusal.value.error == error


def issued(world, grant, order=REFRESH):
    return lifecycle.issue(world.client, "user-1", grant, order)


def status(token):
    token = (
        type(token)
        .objects.select_related("client__service", "service", "grant__client", "grant__service")
        .get(pk=token.pk)
    )
    return token.status(now())


class TestBegin:
    """Items 2 to 5 and 11 to 14: the matrix of action and grant_id."""

    def test_matrix(self, world):
        """Item 14."""
        grant_id = world.grant().grant_id
        assert begin(world).action is None
        assert begin(world, "create").action is GrantAction.CREATE
        assert begin(world, "merge", grant_id).action is GrantAction.MERGE
        assert begin(world, "replace", grant_id).action is GrantAction.REPLACE
        refused("invalid_request", begin, world, "", grant_id)  # item 13
        refused("invalid_request", begin, world, "create", grant_id)  # item 12
        refused("invalid_request", begin, world, "merge")
        refused("invalid_request", begin, world, "replace")

    @pytest.mark.parametrize("action", ["query", "revoke", "update", "CREATE", "x"])
    def test_actions_that_are_none(self, world, action):
        """Item 3."""
        refused("invalid_request", begin, world, action)

    def test_actions_that_the_service_does_not_support(self, world):
        """Items 4 and 14."""
        world.service.actions_supported = ["merge"]
        refused("invalid_request", begin, world, "create")
        assert begin(world, "merge", world.grant().grant_id)

    def test_action_required(self, world):
        """Items 14 and 41."""
        world.service.action_required = True
        refused("invalid_request", begin, world)
        assert begin(world, "create")

    def test_public_clients(self, world):
        """Item 1."""
        refused("invalid_request", begin, world, "create", confidential=False)
        assert begin(world, confidential=False).action is None

    def test_invalid_grant_id(self, world):
        """Items 2 and 11: unknown, dead, pending, another client's, another subject's: one answer."""
        other, dead = world.client_named("other"), now() - timedelta(seconds=1)
        grants = [
            world.grant(client=other),
            world.grant(subject="user-2"),
            world.grant(subject=None),
            world.grant(revoked_at=dead),
            world.grant(expires_at=dead),
            world.grant(pending=True),
            make_world(world.service.organization).grant(),
        ]
        for grant_id in [*(grant.grant_id for grant in grants), "unknown", "\u00e4" * 300]:
            refused("invalid_grant_id", begin, world, "merge", grant_id)
        old = world.grant(created_at=now() - timedelta(days=1))
        world.service.move_cut_off(
            Actor.command("test"), Reason(""), before=now() - timedelta(hours=1)
        )
        refused("invalid_grant_id", begin, world, "replace", old.grant_id)


class TestComplete:
    def test_create(self, world):
        """Items 4, 15 and 17: a new grant, pending until its first token."""
        first, second = created(world), created(world)
        assert first.grant_id != second.grant_id  # item 8
        assert len(first.grant_id) == 43
        assert first.status(now()) is GrantStatus.PENDING
        issued(world, first)
        assert Grant.objects.get(pk=first.pk).pending is False
        assert Grant.objects.get(pk=second.pk).pending is True

    def test_create_active(self, world):
        assert created(world, active=True).pending is False

    def test_a_refresh_is_a_first_token_too(self, world):
        """Of a grant that was imported pending, with a refresh token (found by the machine)."""
        grant = created(world, active=True)
        refresh = issued(world, grant).refresh
        Grant.objects.filter(pk=grant.pk).update(pending=True)
        lifecycle.rotate(RefreshToken.objects.get(pk=refresh.pk), REFRESH)
        assert Grant.objects.get(pk=grant.pk).pending is False

    def test_merge_keeps_pairs(self, world):
        """Items 5, 7, 26 and 28: the union; refresh tokens die, access tokens live."""
        held = Content.read(
            [{"scope": "read", "resource": ["https://a"]}], ["email"], [{"type": "t", "n": 1}]
        )
        grant = created(world, held, active=True)
        tokens = issued(world, grant)
        more = Content.read(
            [{"scope": "read"}, {"scope": "write", "resource": ["https://b"]}],
            ["name"],
            json.loads('[{"n":1.0,"type":"t"},{"type":"t","n":true}]'),
        )
        merged = changed(world, "merge", grant, more)
        assert merged.grant_id == grant.grant_id
        assert json.loads(merged.content()) == {
            "scopes": [
                {"scope": "read", "resource": ["https://a"]},
                {"scope": "write", "resource": ["https://b"]},
                {"scope": "read"},
            ],
            "claims": ["email", "name"],
            "authorization_details": [{"type": "t", "n": 1}, {"type": "t", "n": True}],
        }
        assert status(tokens.refresh) is TokenStatus.SUPERSEDED
        assert status(tokens.access) is TokenStatus.ACTIVE

    def test_replace(self, world):
        """Items 6, 7 and 47: only what was consented now; all earlier tokens die."""
        grant = created(
            world, Content.read([{"scope": "read"}], ["email"], [{"type": "t"}]), active=True
        )
        tokens = issued(world, grant)
        replaced = changed(world, "replace", grant, OPENID)
        assert replaced.grant_id == grant.grant_id
        assert replaced.content() == '{"scopes":[{"scope":"openid"}]}'
        assert status(tokens.refresh) is TokenStatus.SUPERSEDED
        assert status(tokens.access) is TokenStatus.SUPERSEDED
        assert status(issued(world, replaced).access) is TokenStatus.ACTIVE

    def test_expiry(self, world):
        """Given, it replaces the old one; absent, it stays."""
        later = now() + timedelta(days=1)
        grant = created(world, active=True, expires_at=later)
        assert changed(world, "merge", grant, OPENID).expires_at == later
        authorization = begin(world, "merge", grant.grant_id)
        sooner = now() + timedelta(hours=1)
        assert lifecycle.complete(authorization, OPENID, expires_at=sooner).expires_at == sooner

    def test_events_have_before_and_after(self, world):
        grant = created(world, active=True)
        changed(world, "replace", grant, Content.read([{"scope": "read"}], None, None))
        first, second = GrantEvent.objects.order_by("at")
        assert (first.kind, first.details["after"]) == (
            "created",
            '{"scopes":[{"scope":"openid"}]}',
        )
        assert second.details == {
            "before": '{"scopes":[{"scope":"openid"}]}',
            "after": '{"scopes":[{"scope":"read"}]}',
        }
        assert (second.actor_kind, second.actor) == ("client", "app-1")

    @pytest.mark.parametrize("action", ["merge", "replace"])
    def test_revoked_since_begin(self, world, action):
        grant = created(world, active=True)
        authorization = begin(world, action, grant.grant_id)
        grant.revoke(Actor.operator("ann"), Reason("other"))
        refused("invalid_grant_id", lifecycle.complete, authorization, OPENID)
        assert Grant.objects.get().content() == '{"scopes":[{"scope":"openid"}]}'

    def test_other_subject_than_begin_said(self, world):
        """An authorization that was made up is checked again."""
        grant = world.grant(subject="user-2")
        made_up = Authorization(world.client, "user-1", GrantAction.MERGE, grant.grant_id)
        refused("invalid_grant_id", lifecycle.complete, made_up, OPENID)


class TestIssue:
    def test_tokens_belong_to_their_grant(self, world):
        grant = created(world)
        tokens = issued(world, grant)
        assert AccessToken.objects.presented(world.service, tokens.access_token).grant == grant
        assert RefreshToken.objects.presented(world.service, tokens.refresh_token).grant == grant

    def test_registered_values(self, world):
        order = Issue(access_token="a", refresh_token="r", scopes="x")
        assert issued(world, None, order).access_token == "a"
        refused("invalid_request", issued, world, None, order)
        assert (AccessToken.objects.count(), RefreshToken.objects.count()) == (1, 1)

    def test_refused_for_a_grant_that_died_meanwhile(self, world):
        """What the caller holds may be old."""
        old = world.grant()
        Grant.objects.get(pk=old.pk).revoke(Actor.operator("ann"), Reason("other"))
        refused("invalid_grant", issued, world, old)

    def test_refused_for_a_dead_grant(self, world):
        for fields in (
            {"revoked_at": now()},
            {"expires_at": now()},
            {"subject": "user-2"},
            {"client": world.client_named("other")},
        ):
            refused("invalid_grant", issued, world, world.grant(**fields))
        world.client.lock(Actor.command("test"), Reason(""))
        refused("invalid_grant", issued, world, None)
        assert not AccessToken.objects.exists()


class TestRotate:
    def test_rotation(self, world):
        first = issued(world, created(world))
        second = lifecycle.rotate(first.refresh, REFRESH)
        assert status(first.refresh) is TokenStatus.REVOKED
        assert status(second.refresh) is TokenStatus.ACTIVE
        assert second.access.grant_id == first.access.grant_id
        assert second.refresh.family == first.refresh.family

    @pytest.mark.parametrize("with_grant", [True, False])
    def test_reuse_kills_the_family(self, world, with_grant):
        first = issued(world, created(world) if with_grant else None)
        second = lifecycle.rotate(first.refresh, REFRESH)
        bystander = issued(world, None)
        first.refresh.refresh_from_db()
        refused("invalid_grant", lifecycle.rotate, first.refresh, REFRESH)
        assert status(second.refresh) is not TokenStatus.ACTIVE
        assert status(bystander.refresh) is TokenStatus.ACTIVE
        assert status(second.access) is TokenStatus.ACTIVE
        assert GrantEvent.objects.filter(kind="refresh_reused").count() == 1

    def test_scopes_never_grow(self, world):
        first = issued(world, None, Issue(scopes="a b", refresh_token=""))
        refused(
            "invalid_scope",
            lifecycle.rotate,
            first.refresh,
            Issue(scopes="a c", refresh_token=""),
        )
        assert (
            lifecycle.rotate(first.refresh, Issue(scopes="a", refresh_token="")).access.scopes
            == "a"
        )

    def test_dead_ones(self, world):
        grant = created(world)
        first = issued(world, grant)
        grant.revoke(Actor.operator("ann"), Reason("other"))
        first.refresh.grant.refresh_from_db()
        refused("invalid_grant", lifecycle.rotate, first.refresh, REFRESH)


@pytest.fixture
def racing(transactional_db):
    if connection.vendor != "postgresql":
        pytest.skip("races need a database with many writers: --db postgresql")
    world = make_world()

    def together(*functions):
        """Run them at one moment; what each returned, or the error that it raised."""
        barrier = Barrier(len(functions))

        def one(function):
            try:
                connection.ensure_connection()
                barrier.wait()
                return function()
            except LifecycleError as error:
                return error.error
            finally:
                connections.close_all()

        with ThreadPoolExecutor(len(functions)) as pool:
            return list(pool.map(one, map(apart.carried, functions)))

    world.together = together
    return world


class TestRaces:
    ROUNDS = 6

    def revoke(self, grant):
        return lambda: grant.revoke(Actor.operator("ann"), Reason("other"))

    def test_refresh_against_revoke(self, racing):
        """A revoke in the middle wins: no token outlives it."""
        for _ in range(self.ROUNDS):
            grant = created(racing, active=True)
            first = issued(racing, grant)
            old = RefreshToken.objects.presented(racing.service, first.refresh_token)
            result, revoked = racing.together(
                lambda: lifecycle.rotate(old, REFRESH), self.revoke(grant)
            )
            assert revoked is True
            assert result == "invalid_grant" or status(result.access) is TokenStatus.GRANT_DEAD
            for token in (*AccessToken.objects.all(), *RefreshToken.objects.all()):
                assert status(token) is not TokenStatus.ACTIVE

    @pytest.mark.parametrize("action", ["merge", "replace"])
    def test_change_against_revoke(self, racing, action):
        for _ in range(self.ROUNDS):
            grant = created(racing, active=True)
            authorization = begin(racing, action, grant.grant_id)
            _, revoked = racing.together(
                lambda: lifecycle.complete(authorization, OPENID), self.revoke(grant)
            )
            assert revoked is True
            assert Grant.objects.get(pk=grant.pk).revoked_at is not None

    def test_merge_against_merge(self, racing):
        """Both are in it."""
        for _ in range(self.ROUNDS):
            grant = created(racing, active=True)
            orders = []
            for scope in ("a", "b", "c", "d"):
                content = Content(frozenset({(scope, None)}))
                authorization = begin(racing, "merge", grant.grant_id)
                orders.append(lambda a=authorization, c=content: lifecycle.complete(a, c))
            racing.together(*orders)
            grant = Grant.objects.get(pk=grant.pk)
            assert json.loads(grant.scopes) == [{"scope": "a b c d openid"}]
            assert grant.refresh_generation == 4

    def test_refresh_against_refresh(self, racing):
        """One winner; and as nobody can tell who it was, its refresh token is dead too."""
        for _ in range(self.ROUNDS):
            first = issued(racing, created(racing, active=True))
            old = RefreshToken.objects.presented(racing.service, first.refresh_token)
            results = racing.together(*[lambda: lifecycle.rotate(old, REFRESH)] * 4)
            winners = [result for result in results if result != "invalid_grant"]
            assert len(winners) == 1
            assert status(winners[0].access) is TokenStatus.ACTIVE
            assert status(winners[0].refresh) is TokenStatus.SUPERSEDED
