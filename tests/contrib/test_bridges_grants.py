"""The bridges: codes and consent pages, tokens of before, what is said of tokens, and what is
refused. Over the example servers.
"""

import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from authlib.common.security import generate_token

from ..bridges import EACH
from ..example import GM, PYTHON, example_environment, new_database, parameters
from ..example_world import ALIVE, DEAD, World, served


@pytest.fixture(scope="module", params=EACH)
def world(request, django_db_setup, django_db_blocker, tmp_path_factory):
    with served(django_db_blocker, tmp_path_factory, bridge=request.param) as seeded:
        yield World(seeded)


def revoke_grant(world, grant_id):
    headers = {"Authorization": f"Bearer {world.api_token}"}
    url = f"{world.base}/api/1/grants/{grant_id}/revoke"
    assert requests.post(url, json={}, headers=headers, timeout=60).status_code == 200


class TestCodes:
    def consent(self, world, action, grant_id="", scope=""):
        asked = {"grant_management_action": action}
        return world.client.consent(
            world.ann, scope or world.all, **asked | ({"grant_id": grant_id} if grant_id else {})
        )

    def refused(self, world, consented):
        status, answer = world.client.redeem(consented)
        assert (status, answer["error"]) == (400, "invalid_grant")

    @pytest.mark.parametrize("before", ["create", "merge", "replace"])
    @pytest.mark.parametrize("change", ["replace", "revoke"])
    def test_one_of_before_a_change_gives_nothing(self, world, before, change):
        if before == "create":
            consented = self.consent(world, "create")
            grant_id = world.run(NEWEST)
            if change == "replace":  # a pending grant is not there for an authorization request
                world.run(REPLACE.format(grant_id))
        else:
            grant_id = world.tokens()["grant_id"]
            consented = self.consent(world, before, grant_id)
            if change == "replace":
                replacing = self.consent(world, "replace", grant_id, GM)
        if change == "revoke":
            revoke_grant(world, grant_id)
        self.refused(world, consented)
        self.refused(world, consented)  # and is not what it was, either
        if change == "replace" and before != "create":
            assert world.client.redeem(replacing)[0] == 200

    def test_one_of_before_a_merge_gives_tokens(self, world):
        grant_id = world.tokens()["grant_id"]
        consented = self.consent(world, "merge", grant_id)
        world.tokens("write", grant_management_action="merge", grant_id=grant_id)
        status, tokens = world.client.redeem(consented)
        assert (status, tokens["grant_id"]) == (200, grant_id)
        assert world.access(tokens) == ALIVE
        assert world.refresh(tokens)["grant_id"] == grant_id

    def test_one_gives_tokens_once(self, world):
        before = world.run(world.theirs + CODES)
        consented = self.consent(world, "create")
        assert world.run(world.theirs + CODES) == before + 1
        assert world.client.redeem(consented)[0] == 200
        self.refused(world, consented)
        assert world.run(world.theirs + CODES) == before

    @pytest.mark.parametrize("action", ["create", ""])
    def test_one_that_comes_twice_at_once_gives_tokens_once(self, world, action):
        """Also in the database: what is not handed out is not there."""
        for _ in range(5):
            asked = {"grant_management_action": action} if action else {}
            consented = world.client.consent(world.ann, world.all, **asked)
            before = world.run(world.theirs + COUNTS)
            with ThreadPoolExecutor(2) as pool:
                answers = list(pool.map(world.client.redeem, [consented] * 2))
            told = sorted((status, answer.get("error")) for status, answer in answers)
            assert told == [(200, None), (400, "invalid_grant")]
            assert world.run(world.theirs + COUNTS) == [number + 1 for number in before]

    def test_one_whose_grant_was_purged_gives_nothing(self, world):
        consented = self.consent(world, "create")
        world.run(
            "from grant_management.models import Grant, GrantEvent\n"
            f"Grant.objects.get(grant_id={world.run(NEWEST)!r}).delete()"
        )
        self.refused(world, consented)

    def test_old_ones_are_forgotten(self, world):
        """Ten at a time, whenever a code is handed out: so they never pile up."""
        self.consent(world, "create")  # what is aged are copies of one
        world.run(world.theirs + AGE.format(25, 1.5))
        assert world.run(world.theirs + OLD) == 25
        for left in (15, 5, 0):
            self.consent(world, "create")
            assert world.run(world.theirs + OLD) == left

    def test_one_that_may_be_redeemed_is_not_forgotten(self, world):
        consented = self.consent(world, "create")
        world.run(world.theirs + AGED.format(0.9))
        self.consent(world, "create")
        assert world.client.redeem(consented)[0] == 200


NEWEST = (
    "from grant_management.models import Grant\nresult = Grant.objects.order_by('-id')[0].grant_id"
)
REPLACE = """
from django.db.models import F
from grant_management.models import Grant
Grant.objects.filter(grant_id="{}").update(access_generation=F("access_generation") + 1)
"""
CODES = "result = OurCode.objects.count()"
COUNTS = """
from grant_management import models as ours
result = [model.objects.count() for model in (ours.AccessToken, ours.RefreshToken)] + number()
"""
# So many codes and no others, and how many days old they are.
AGE = """
import secrets
from datetime import timedelta
from grant_management.models import Grant as Ours
from grant_management.db.ids import uuid7
old = timezone.now() - timedelta(days={1})
grant = Ours.objects.first()
OurCode.objects.all().delete()
for _ in range({0}):
    code = dict(id=uuid7(old), service=grant.service, grant=grant)
    OurCode.objects.create(digest=secrets.token_bytes(32), **code)
"""
AGED = """
from datetime import timedelta
from django.utils import timezone
from grant_management.db.ids import uuid7
for code in OurCode.objects.all():
    OurCode.objects.filter(pk=code.pk).update(id=uuid7(timezone.now() - timedelta(days={})))
"""
OLD = """
from datetime import timedelta
from django.utils import timezone
from grant_management.db.ids import first_uuid7
result = OurCode.objects.filter(pk__lt=first_uuid7(timezone.now() - timedelta(days=1))).count()
"""


class TestAPageLeftOpen:
    def open(self, world, action, grant_id):
        asked = {"grant_management_action": action, "grant_id": grant_id}
        submit = world.client.opened(world.ann, "write", **asked)
        return lambda: parameters(submit())

    @pytest.mark.parametrize("action", ["merge", "replace"])
    def test_while_the_grant_is_revoked(self, world, action):
        tokens = world.tokens()
        submit = self.open(world, action, tokens["grant_id"])
        revoke_grant(world, tokens["grant_id"])
        codes = world.run(world.theirs + "result = codes()")
        answer = submit()
        assert (answer["error"], "code" in answer) == ("invalid_grant_id", False)
        assert answer["state"]
        assert world.run(world.theirs + "result = codes()") == codes  # not the toolkit's either

    def test_while_the_grant_is_replaced(self, world):
        """What the user gave up in between does not come back."""
        tokens = world.tokens(f"{world.all} read")
        submit = self.open(world, "merge", tokens["grant_id"])
        replaced = world.tokens(
            world.all, grant_management_action="replace", grant_id=tokens["grant_id"]
        )
        assert "code" in submit()
        shown = world.client.gm("GET", tokens["grant_id"], replaced["access_token"])[1]
        assert shown == {"scopes": [{"scope": " ".join(sorted(f"{world.all} write".split()))}]}
        assert world.access(tokens) == DEAD


class TestTokensOfBefore:
    """Of before the app was added: the toolkit's alone."""

    @pytest.fixture
    def before(self, world):
        made = f"result = make({world.client.secrets['client_id']!r}, {world.all!r})"
        yield world.run(world.theirs + made)
        world.run(world.theirs + "unmake()")

    def test_they_work_there(self, world, before):
        assert world.client.opens(before["access_token"])
        assert world.is_active(before["access_token"])
        assert not world.is_known(before["access_token"])

    def test_what_they_become_is_known_here(self, world, before):
        tokens = world.refresh(before)
        assert world.access(tokens) == ALIVE | {"gm": 404}
        assert world.is_known(tokens["refresh_token"])
        assert world.client.opens(before["access_token"]) is not world.bridge.refresh_ends_access
        again = world.refresh(tokens)
        assert world.access(again) == ALIVE | {"gm": 404}

    def test_one_that_was_purged_here_is_none_of_them(self, world):
        """It is dead, however alive its row there is."""
        tokens, plain = world.tokens(), world.client.authorize(world.ann, world.all)
        for pair in (tokens, plain):
            world.run(FORGET.format(**pair))
            assert not world.client.opens(pair["access_token"])
            assert not world.is_active(pair["access_token"])
            assert world.refusal(pair) == "invalid_grant"


FORGET = """
from grant_management.models import AccessToken, RefreshToken
from grant_management.protocol.digests import sha256
AccessToken.objects.filter(digest=sha256("{access_token}")).delete()
RefreshToken.objects.filter(digest=sha256("{refresh_token}")).delete()
"""


class TestWhatIsSaidOfTokens:
    def test_with_a_grant_that_ends(self, world):
        """RFC 7662 §2.2: `exp` is when it ends, and at the end it is over everywhere."""
        tokens = world.tokens()
        world.run(END.format(tokens["grant_id"], 60))
        answer = world.introspected(tokens["access_token"])
        ours = world.post("/api/1/introspect", {"token": tokens["access_token"]})
        assert (answer["active"], answer["exp"]) == (True, ours["exp"])
        world.run(END.format(tokens["grant_id"], -1))
        assert world.access(tokens) == DEAD
        assert world.refusal(tokens) == "invalid_grant"

    @pytest.mark.parametrize("stop", ["lock_client", "set_cut_off"])
    def test_with_a_client_that_was_stopped(self, world, stop):
        tokens = world.client.authorize(world.bob, world.all, grant_management_action="create")
        # With "=": a client ID may begin with "-".
        which = ("--service=1", f"--client={world.client.secrets['client_id']}")
        world.manage(stop, *which)
        try:
            assert world.access(tokens) == DEAD | {"gm": 401}
            assert world.refusal(tokens) == "invalid_grant"
        finally:
            if stop == "lock_client":
                world.manage("unlock_client", *which)
        if stop == "lock_client":
            assert world.access(tokens) == ALIVE

    def test_revoked_at_the_store(self, world):
        tokens = world.tokens()
        world.post("/api/1/revoke", {"token": tokens["access_token"]})
        world.post("/api/1/revoke", {"token": tokens["refresh_token"]})
        assert world.access(tokens) == DEAD
        assert world.refusal(tokens) == "invalid_grant"

    def test_refreshed_at_the_store(self, world):
        """Then the toolkit's row is alive, and using it is using a rotated token again."""
        tokens = world.tokens()
        members = {
            "refreshToken": tokens["refresh_token"],
            "clientIdentifier": world.client.secrets["client_id"],
        }
        headers = {"Authorization": f"Bearer {world.api_token}"}
        url = f"{world.base}/api/1/tokens/refresh"
        became = requests.post(url, json=members, headers=headers, timeout=60).json()
        assert world.is_known(became["refreshToken"])
        told = world.told(lambda: world.refusal(tokens))
        assert [event[0] for event in told] == ["refresh_reused"]
        assert not world.is_known(became["refreshToken"])


END = """
from datetime import timedelta
from django.utils import timezone
from grant_management.models import Grant
ends = timezone.now() + timedelta(seconds={1})
Grant.objects.filter(grant_id="{0}").update(expires_at=ends)
"""


class TestRefreshes:
    def test_what_is_asked_for_narrows_the_access_token_only(self, world):
        """RFC 6749 §6: the new refresh token has the scope of the old one."""
        tokens = world.tokens(f"{world.all} read")
        narrowed = world.refresh(tokens, scope="read")
        assert narrowed["scope"] == "read"
        again = world.refresh(narrowed)
        assert set(again["scope"].split()) == {*world.all.split(), "read"}
        assert world.access(again) == ALIVE

    def test_more_is_refused_as_that(self, world):
        tokens = world.tokens(GM)
        status, answer = world.client.refresh(tokens["refresh_token"], scope=f"{GM} write")
        assert (status, answer["error"]) == (400, "invalid_scope")
        assert world.refresh(tokens)

    def test_a_merge_leaves_access_tokens_be(self, world):
        """Also when the refresh token of before is used, rotated or not."""
        first = world.tokens()
        second = world.refresh(first)
        world.tokens("write", grant_management_action="merge", grant_id=first["grant_id"])
        for tokens in (first, second):
            assert world.refusal(tokens) == "invalid_grant"
        assert world.access(second) == ALIVE

    def test_issuing_and_refreshing_write_no_event(self, world):
        told = world.told(lambda: world.refresh(world.tokens()))
        assert [event[0] for event in told] == ["created"]
        assert world.told(lambda: world.client.own_token()) == []
        assert world.told(lambda: world.client.authorize(world.ann, GM)) == []


class TestLimits:
    """Whatever cannot be stored is refused to the client, and never a failure of the server."""

    @pytest.mark.parametrize(
        "claims",
        [
            "{",
            "[1]",
            "1",
            '"x"',
            "[" * 2_000,
            '{"userinfo":1}',
            '{"userinfo":{"' + "x" * 3_000 + '":null}}',
            '{"id_token":{"":null}}',
            '{"id_token":{"\\u0000":null}}',
            '{"id_token":{"\\ud800":null}}',
        ],
    )
    def test_claims(self, world, claims):
        asked = {"grant_management_action": "create", "claims": claims}
        url = world.client.url(world.client.session(world.all), generate_token(48), **asked)
        page = world.ann.open(url)
        assert page.status_code in (200, 302, 400)
        if page.status_code == 200:
            assert "code" in parameters(world.ann.authorize(url))
        if page.status_code == 302:
            error = parameters(page.headers["Location"])["error"]
            assert error in ("invalid_request", world.bridge.refuses_claims)


@pytest.mark.parametrize("bridge", EACH)
class TestTheCheck:
    """What dies on both sides in one transaction is in one database."""

    def check(self, blocker, folder, bridge, moved):
        url = new_database(blocker, folder)
        other = new_database(blocker, folder).partition("?")[0]
        name = (
            other.removeprefix("sqlite:///")
            if url.startswith("sqlite")
            else other.rpartition("/")[2]
        )
        variables = {"TEST_SECOND_DATABASE": name, "TEST_MOVED_APPS": " ".join(moved)}
        env = example_environment(url, bridge, **(variables if moved else {}))
        line = [PYTHON, "manage.py", "check"]
        done = subprocess.run(line, cwd=bridge.folder, env=env, capture_output=True, text=True)
        return done.returncode, f"grant_management_{bridge.name}.E001" in done.stderr

    def test_one_database(self, django_db_setup, django_db_blocker, tmp_path_factory, bridge):
        for moved in ((), bridge.apps):
            done = self.check(django_db_blocker, tmp_path_factory, bridge, moved)
            assert done == (0, False)

    def test_several(self, django_db_setup, django_db_blocker, tmp_path_factory, bridge):
        for left in bridge.apps:
            for moved in ((left,), {*bridge.apps} - {left}):
                done = self.check(django_db_blocker, tmp_path_factory, bridge, moved)
                assert done == (1, True)
