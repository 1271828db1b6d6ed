"""Every token that an authorization server hands out is known here and dies with its grant;
whatever dies there dies here. Over the example servers, in each way that both have.
"""

import json

import pytest
import requests

from ..bridges import EACH
from ..example import Client
from ..example_world import ALIVE, DEAD, World, served


@pytest.fixture(scope="module", params=EACH)
def world(request, django_db_setup, django_db_blocker, tmp_path_factory):
    with served(django_db_blocker, tmp_path_factory, bridge=request.param) as seeded:
        yield World(seeded)


class TestWhatDiesThere:
    """`dead` says which kinds of tokens of a pair die."""

    def check(self, world, tokens, act, dead=("access", "refresh"), events=1):
        told = world.told(act)
        if "access" in dead:
            assert world.access(tokens) == DEAD
        if "refresh" in dead:
            assert not world.is_known(tokens["refresh_token"])
            assert world.refusal(tokens) == "invalid_grant"
        kinds = [event[0] for event in told]
        assert kinds == ["tokens_revoked"] * events, told
        return told

    @pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
    def test_the_revocation_endpoint(self, world, kind):
        tokens = world.tokens()
        dead = world.bridge.revoked_with[kind]
        told = self.check(world, tokens, lambda: world.client.revoke(tokens[kind]), dead)
        number = [world.client.secrets["client_id"], "1", len(dead)]
        assert told == [["tokens_revoked", "client", *number]]
        assert world.told(lambda: world.client.revoke(tokens[kind])) == []

    def test_a_refresh_token_takes_what_it_became_along(self, world):
        first = world.tokens()
        second = world.refresh(first)
        self.check(world, second, lambda: world.client.revoke(first["refresh_token"]))

    def test_another_client_revokes_nothing_here(self, world):
        """The toolkit before 3.4, and allauth, let any client revoke any token (RFC 7009 §2.1 does
        not)."""
        tokens = world.tokens()
        assert world.other.revoke(tokens["refresh_token"]) == 200
        assert world.is_known(tokens["refresh_token"]) == world.access(tokens)["there"]
        if world.bridge.is_newest:
            assert world.access(tokens) == ALIVE

    @pytest.mark.parametrize("model", ["accesstoken", "refreshtoken"])
    def test_a_single_row_deleted(self, world, model):
        tokens = world.tokens()
        code = (
            f"access({tokens['access_token']!r}).delete()"
            if model == "accesstoken"
            else f"refresh({tokens['refresh_token']!r}).delete()"
        )
        with_access = world.bridge.revoked_with["access_token"]
        dead = with_access if model == "accesstoken" else ("refresh",)
        self.check(world, tokens, lambda: world.run(world.theirs + code), dead)

    def test_many_rows_deleted_by_one_call(self, world):
        """One act, one event."""
        pairs = [world.tokens() for _ in range(3)]
        values = [tokens["access_token"] for tokens in pairs]
        told = world.told(lambda: world.run(world.theirs + f"end_access({values})"))
        dead = world.bridge.revoked_with["access_token"]
        number = [world.client.secrets["client_id"], "1", 3 * len(dead)]
        assert told == [["tokens_revoked", "system", *number]]
        for tokens in pairs:
            assert world.access(tokens) == DEAD
            assert world.is_known(tokens["refresh_token"]) is ("refresh" not in dead)

    def test_a_refresh_token_ended_by_the_hosts_own_code(self, world):
        tokens = world.tokens()
        code = f"{world.theirs}end_refresh({tokens['refresh_token']!r})"
        self.check(world, tokens, lambda: world.run(code), world.bridge.row_takes)

    def test_an_update_is_seen_by_a_refresh_at_the_store_too(self, world):
        tokens = world.tokens()
        row = f"refresh({tokens['refresh_token']!r})"
        world.run(f"{world.theirs}expire({row}, timezone.now())")
        members = {
            "refreshToken": tokens["refresh_token"],
            "clientIdentifier": world.client.secrets["client_id"],
        }
        headers = {"Authorization": f"Bearer {world.api_token}"}
        url = f"{world.base}/api/1/tokens/refresh"
        answer = requests.post(url, json=members, headers=headers, timeout=60).json()
        assert "accessToken" not in answer

    def test_an_update_that_sends_no_signal(self, world):
        """Judged at use, by the server's own row."""
        tokens = world.tokens()
        code = (
            f"expire(access({tokens['access_token']!r}), timezone.now())\n"
            f"expire(refresh({tokens['refresh_token']!r}), timezone.now())\n"
        )
        self.check(world, tokens, lambda: world.run(world.theirs + code), events=0)
        asked = {"token": tokens["access_token"]}
        headers = {"Authorization": f"Bearer {world.api_token}"}
        answer = requests.post(
            f"{world.base}/api/1/auth/introspection", json=asked, headers=headers, timeout=60
        ).json()
        assert (answer["action"], answer["usable"]) == ("UNAUTHORIZED", False)
        members = {"accessToken": tokens["access_token"], "gmAction": "QUERY"}
        members["grantId"] = tokens["grant_id"]
        answer = requests.post(
            f"{world.base}/api/1/auth/gm", json=members, headers=headers, timeout=60
        ).json()
        assert answer["action"] == "UNAUTHORIZED"

    def test_reuse_of_a_rotated_refresh_token(self, world):
        """Kills the family there: the toolkit from 3.4.1 by one update, which sends no signal. One
        event.
        """
        first = world.tokens()
        second = world.refresh(first)
        told = world.told(lambda: world.refusal(first))
        assert [event[0] for event in told] == ["refresh_reused"]
        assert world.access(second) == DEAD
        assert world.refusal(second) == "invalid_grant"
        assert world.told(lambda: [world.refusal(first) for _ in range(3)]) == []

    def test_reuse_without_a_grant(self, world):
        first = world.client.authorize(world.ann, world.all)
        second = world.refresh(first)
        told = world.told(lambda: world.refusal(first))
        assert [event[0] for event in told] == ["refresh_reused"]
        assert not world.is_known(second["refresh_token"])
        assert not world.is_known(second["access_token"])

    def test_a_user_who_is_deleted(self, world):
        world.run(
            "from django.contrib.auth.models import User\n"
            "User.objects.create_user('eve', password='only-for-this-test')"
        )
        eve = world.browser("eve", "only-for-this-test")
        tokens = world.client.authorize(eve, world.all, grant_management_action="create")
        code = (
            "from django.contrib.auth.models import User\nUser.objects.get(username='eve').delete()"
        )
        told = self.check(world, tokens, lambda: world.run(code))
        assert told[0][4] == 2

    def test_an_application_that_is_deleted(self, world):
        """Its client cannot authenticate any more; what it had is dead here."""
        seeded = json.loads(world.run(world.bridge.more))
        client = Client(world.seeded | {"clients": [seeded]}, 0)
        pairs = [
            client.authorize(world.ann, world.all, grant_management_action="create")
            for _ in range(2)
        ]
        code = f"application({seeded['client_id']!r}).delete()"
        told = world.told(lambda: world.run(world.theirs + code))
        assert [event[0] for event in told] == ["tokens_revoked"]
        assert told[0][2:] == [seeded["client_id"], "1", 4]
        for tokens in pairs:
            assert world.access(tokens) == DEAD
            assert not world.is_known(tokens["refresh_token"])

    def test_cleartokens(self, world):
        """What is over when it is tidied away is no event; what was revoked stays dead."""
        world.manage(world.bridge.clear)  # what other tests left
        tokens = world.tokens()
        refreshed = world.refresh(tokens)
        over = world.client.authorize(world.ann, world.all, grant_management_action="create")
        world.run(world.theirs + EXPIRE.format(over["access_token"], over["refresh_token"]))
        assert world.told(lambda: world.manage(world.bridge.clear)) == []
        assert world.run(f"{world.theirs}result = has_access({over['access_token']!r})") is False
        if world.bridge.refresh_ends_access:
            assert world.access(tokens) == DEAD
        assert world.refusal(over) == "invalid_grant"
        assert world.access(refreshed) == ALIVE
        assert world.is_known(refreshed["refresh_token"])


# Both sides: its time is over.
EXPIRE = """
from datetime import timedelta
from grant_management import models as ours
from grant_management.protocol.digests import sha256
ago = timezone.now() - timedelta(days=60)
expire(access("{0}"), ago)
ours.AccessToken.objects.filter(digest=sha256("{0}")).update(expires_at=ago)
ours.RefreshToken.objects.filter(digest=sha256("{1}")).update(expires_at=ago)
"""
