"""The bridge to django-oauth-toolkit: codes and consent pages, tokens of before, what is said of
tokens, and what is refused. Over the example server.
"""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from ..example import EXAMPLE, GM, PYTHON, example_environment, new_database, parameters
from ..example_world import ALIVE, ALL, DEAD, THEIRS, World, served


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, tmp_path_factory):
    with served(django_db_blocker, tmp_path_factory) as seeded:
        yield World(seeded)


@pytest.fixture(scope="module")
def long(django_db_setup, django_db_blocker, tmp_path_factory):
    """A host whose users have long keys, and whose scopes have long names."""
    more = {"TEST_APPS": "tests.example_users", "TEST_USER_MODEL": "example_users.LongUser"}
    scopes = {"SCOPES": {"read": "", "x" * 300: "", "introspection": ""}}
    with served(django_db_blocker, tmp_path_factory, more, **scopes) as seeded:
        yield World(seeded)


def revoke_grant(world, grant_id):
    headers = {"Authorization": f"Bearer {world.api_token}"}
    url = f"{world.base}/api/1/grants/{grant_id}/revoke"
    assert requests.post(url, json={}, headers=headers, timeout=60).status_code == 200


class TestCodes:
    def consent(self, world, action, grant_id="", scope=ALL):
        asked = {"grant_management_action": action}
        return world.client.consent(
            world.ann, scope, **asked | ({"grant_id": grant_id} if grant_id else {})
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
        before = world.run(CODES)
        consented = self.consent(world, "create")
        assert world.run(CODES) == before + 1
        assert world.client.redeem(consented)[0] == 200
        self.refused(world, consented)
        assert world.run(CODES) == before

    @pytest.mark.parametrize("action", ["create", ""])
    def test_one_that_comes_twice_at_once_gives_tokens_once(self, world, action):
        """Also in the database: what is not handed out is not there."""
        for _ in range(5):
            asked = {"grant_management_action": action} if action else {}
            consented = world.client.consent(world.ann, ALL, **asked)
            before = world.run(COUNTS)
            with ThreadPoolExecutor(2) as pool:
                answers = list(pool.map(world.client.redeem, [consented] * 2))
            told = sorted((status, answer.get("error")) for status, answer in answers)
            assert told == [(200, None), (400, "invalid_grant")]
            assert world.run(COUNTS) == [number + 1 for number in before]

    def test_one_that_is_redeemed_between_two_steps(self, world):
        """The toolkit reads its row at each of these."""
        assert world.run(GONE) == ["invalid_grant"] * 3

    def test_one_whose_grant_was_purged_gives_nothing(self, world):
        consented = self.consent(world, "create")
        world.run(
            "from grant_management.models import Grant, GrantEvent\n"
            f"Grant.objects.get(grant_id={world.run(NEWEST)!r}).delete()"
        )
        self.refused(world, consented)

    def test_old_ones_are_forgotten(self, world):
        """Ten at a time, whenever a code is handed out: so they never pile up."""
        world.run(AGE.format(25, 1.5))
        assert world.run(OLD) == 25
        for left in (15, 5, 0):
            self.consent(world, "create")
            assert world.run(OLD) == left

    def test_one_that_may_be_redeemed_is_not_forgotten(self, world):
        consented = self.consent(world, "create")
        world.run(AGED.format(0.9))
        self.consent(world, "create")
        assert world.client.redeem(consented)[0] == 200

    def test_cleartokens_forgets_them(self, world):
        world.run(AGE.format(0, 0))
        self.consent(world, "create")
        assert world.run(CODES) == 1
        world.run(THEIRS + "Grant.objects.update(expires=timezone.now())")
        world.manage("cleartokens")
        assert world.run(CODES) == 0


NEWEST = (
    "from grant_management.models import Grant\nresult = Grant.objects.order_by('-id')[0].grant_id"
)
REPLACE = """
from django.db.models import F
from grant_management.models import Grant
Grant.objects.filter(grant_id="{}").update(access_generation=F("access_generation") + 1)
"""
CODES = """
from grant_management.contrib.oauth_toolkit.models import AuthorizedCode
result = AuthorizedCode.objects.count()
"""
COUNTS = """
from oauth2_provider import models as theirs
from grant_management.models import AccessToken, RefreshToken
models = (AccessToken, RefreshToken, theirs.AccessToken, theirs.RefreshToken)
result = [model.objects.count() for model in models]
"""
# So many codes and no others, and how many days old they are.
GONE = """
from oauthlib.common import Request
from oauthlib.oauth2.rfc6749.errors import OAuth2Error
from oauth2_provider.models import Application
from grant_management.contrib.oauth_toolkit.validator import GrantManagementValidator

client, validator = Application.objects.first(), GrantManagementValidator()
request, result = Request("https://as.example/o/token/"), []
request.client = client
for step in (
    lambda: validator.get_code_challenge("gone", request),
    lambda: validator.get_code_challenge_method("gone", request),
    lambda: validator.confirm_redirect_uri("id", "gone", "https://a.example", client, request),
):
    try:
        step()
    except OAuth2Error as error:
        result.append(error.error)
"""
AGE = """
import secrets
from datetime import timedelta
from django.utils import timezone
from grant_management.contrib.oauth_toolkit.models import AuthorizedCode
from grant_management.models import Grant
from grant_management.db.ids import uuid7
old = timezone.now() - timedelta(days={1})
grant = Grant.objects.first()
AuthorizedCode.objects.all().delete()
for _ in range({0}):
    code = dict(id=uuid7(old), service=grant.service, grant=grant)
    AuthorizedCode.objects.create(digest=secrets.token_bytes(32), **code)
"""
AGED = """
from datetime import timedelta
from django.utils import timezone
from grant_management.contrib.oauth_toolkit.models import AuthorizedCode
from grant_management.db.ids import uuid7
for code in AuthorizedCode.objects.all():
    AuthorizedCode.objects.filter(pk=code.pk).update(id=uuid7(timezone.now() - timedelta(days={})))
"""
OLD = """
from datetime import timedelta
from django.utils import timezone
from grant_management.contrib.oauth_toolkit.models import AuthorizedCode
from grant_management.db.ids import first_uuid7
result = AuthorizedCode.objects.filter(pk__lt=first_uuid7(timezone.now() - timedelta(days=1))).count()
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
        codes = world.run(COUNT_CODES)
        answer = submit()
        assert (answer["error"], "code" in answer) == ("invalid_grant_id", False)
        assert answer["state"]
        assert world.run(COUNT_CODES) == codes  # not the toolkit's either

    def test_while_the_grant_is_replaced(self, world):
        """What the user gave up in between does not come back."""
        tokens = world.tokens(f"{ALL} read")
        submit = self.open(world, "merge", tokens["grant_id"])
        replaced = world.tokens(ALL, grant_management_action="replace", grant_id=tokens["grant_id"])
        assert "code" in submit()
        shown = world.client.gm("GET", tokens["grant_id"], replaced["access_token"])[1]
        assert shown == {"scopes": [{"scope": " ".join(sorted(f"{ALL} write".split()))}]}
        assert world.access(tokens) == DEAD


COUNT_CODES = "from oauth2_provider.models import Grant\nresult = Grant.objects.count()"


class TestTokensOfBefore:
    """Of before the app was added: the toolkit's alone."""

    @pytest.fixture
    def before(self, world):
        made = json.loads(world.run(BEFORE.format(world.client.secrets["client_id"], ALL)))
        yield made
        world.run(THEIRS + "RefreshToken.objects.filter(token__startswith='before').delete()")
        world.run(THEIRS + "AccessToken.objects.filter(token__startswith='before').delete()")

    def test_they_work_there(self, world, before):
        assert world.client.opens(before["access_token"])
        assert world.is_active(before["access_token"])
        assert not world.is_known(before["access_token"])

    def test_what_they_become_is_known_here(self, world, before):
        tokens = world.refresh(before)
        assert world.access(tokens) == ALIVE | {"gm": 404}
        assert world.is_known(tokens["refresh_token"])
        assert not world.client.opens(before["access_token"])
        again = world.refresh(tokens)
        assert world.access(again) == ALIVE | {"gm": 404}

    def test_when_one_comes_again_what_it_became_dies(self, world, before):
        """From 3.4.1 the toolkit kills the family by one update."""
        tokens = world.refresh(before)
        told = world.told(lambda: world.refusal(before))
        assert [event[0] for event in told] == ["tokens_revoked"]
        assert world.refusal(tokens) == "invalid_grant"
        assert not world.is_known(tokens["access_token"])
        assert not world.is_known(tokens["refresh_token"])

    def test_one_that_was_purged_here_is_none_of_them(self, world):
        """It is dead, however alive its row there is."""
        tokens, plain = world.tokens(), world.client.authorize(world.ann, ALL)
        for pair in (tokens, plain):
            world.run(FORGET.format(**pair))
            assert not world.client.opens(pair["access_token"])
            assert not world.is_active(pair["access_token"])
            assert world.refusal(pair) == "invalid_grant"


BEFORE = """
import json
from datetime import timedelta
from uuid import uuid4
from django.contrib.auth.models import User
from django.utils import timezone
from oauth2_provider.models import AccessToken, Application, RefreshToken
kept = dict(user=User.objects.get(username="ann"), application=Application.objects.get(client_id="{}"))
ends = timezone.now() + timedelta(hours=1)
access = AccessToken.objects.create(token="before-a", scope="{}", expires=ends, **kept)
RefreshToken.objects.create(token="before-r", access_token=access, token_family=uuid4(), **kept)
result = json.dumps({{"access_token": "before-a", "refresh_token": "before-r"}})
"""
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
        headers = {"Authorization": f"Bearer {world.asker}"}
        answer = requests.post(
            f"{world.base}/o/introspect/",
            data={"token": tokens["access_token"]},
            headers=headers,
            timeout=60,
        ).json()
        ours = world.post("/api/1/introspect", {"token": tokens["access_token"]})
        assert (answer["active"], answer["exp"]) == (True, ours["exp"])
        world.run(END.format(tokens["grant_id"], -1))
        assert world.access(tokens) == DEAD
        assert world.refusal(tokens) == "invalid_grant"

    @pytest.mark.parametrize("stop", ["lock_client", "set_cut_off"])
    def test_with_a_client_that_was_stopped(self, world, stop):
        tokens = world.client.authorize(world.bob, ALL, grant_management_action="create")
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
        tokens = world.tokens(f"{ALL} read")
        narrowed = world.refresh(tokens, scope="read")
        assert narrowed["scope"] == "read"
        again = world.refresh(narrowed)
        assert set(again["scope"].split()) == {*ALL.split(), "read"}
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

    def test_what_is_kept_of_a_token_goes_with_it(self, world):
        first = world.tokens()
        second = world.refresh(first)
        links = LINKS.format(first["grant_id"])
        assert world.run(links) == 3  # and the rotated refresh token, until cleartokens
        world.client.gm("DELETE", first["grant_id"], second["access_token"])
        world.run(THEIRS + "RefreshToken.objects.exclude(revoked=None).delete()")
        assert world.run(links) == 1


LINKS = """
from grant_management.contrib.oauth_toolkit.models import LinkedToken
result = LinkedToken.objects.filter(grant__grant_id="{}").count()
"""


class TestLimits:
    """Whatever cannot be stored is refused to the client, and never a failure of the server."""

    def test_a_users_key(self, long):
        for asked in ({}, {"grant_management_action": "create"}):
            answer = long.client.authorize(long.ann, "read", **asked)
            assert answer["error"] == "invalid_request"
            assert answer["state"]
        made = MADE.format(long.client.secrets["client_id"], long.client.redirect_uri)
        before = long.run(COUNTS)
        status, answer = long.client.redeem({"code": long.run(made), "code_verifier": "v" * 43})
        assert (status, answer["error"]) == (400, "invalid_request")
        assert long.run(COUNTS) == before

    def test_a_users_own_pages(self, long):
        done = long.ann.session.get(f"{long.base}/o/logout/", timeout=60)
        assert done.status_code < 500

    def test_a_scope(self, long):
        status, answer = long.client.token(grant_type="client_credentials", scope="x" * 300)
        assert status < 500
        secrets = long.client.secrets
        answer = requests.post(
            f"{long.base}/o/token/",
            data={"grant_type": "client_credentials", "scope": "x" * 300},
            auth=(secrets["own_client_id"], secrets["own_client_secret"]),
            timeout=60,
        )
        assert answer.status_code < 500
        assert "access_token" in answer.json() or answer.json()["error"] == "invalid_request"

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
        answer = world.client.authorize(
            world.ann, GM, grant_management_action="create", claims=claims
        )
        assert "access_token" in answer or answer["error"] == "invalid_request"


MADE = """
from datetime import timedelta
from django.contrib.auth import get_user_model
from django.utils import timezone
from oauth2_provider.models import Application, Grant
result = Grant.objects.create(
    user=get_user_model().objects.get(username="ann"),
    application=Application.objects.get(client_id="{}"),
    redirect_uri="{}",
    code="made",
    scope="read",
    expires=timezone.now() + timedelta(minutes=5),
    code_challenge="v" * 43,
    code_challenge_method="plain",
).code
"""


class TestTheCheck:
    """What dies on both sides in one transaction is in one database."""

    def check(self, blocker, folder, moved):
        url = new_database(blocker, folder)
        other = new_database(blocker, folder).partition("?")[0]
        name = (
            other.removeprefix("sqlite:///")
            if url.startswith("sqlite")
            else other.rpartition("/")[2]
        )
        variables = {"TEST_SECOND_DATABASE": name, "TEST_MOVED_APPS": moved} if moved else {}
        env = example_environment(url, **variables)
        line = [PYTHON, "manage.py", "check"]
        done = subprocess.run(line, cwd=EXAMPLE, env=env, capture_output=True, text=True)
        return done.returncode, done.stderr

    ALL_APPS = "grant_management grant_management_oauth_toolkit oauth2_provider"

    @pytest.mark.parametrize("moved", ["", ALL_APPS])
    def test_one_database(self, django_db_setup, django_db_blocker, tmp_path_factory, moved):
        code, said = self.check(django_db_blocker, tmp_path_factory, moved)
        assert (code, "E001" in said) == (0, False), said

    @pytest.mark.parametrize("left", ALL_APPS.split())
    def test_several(self, django_db_setup, django_db_blocker, tmp_path_factory, left):
        moved = " ".join(set(self.ALL_APPS.split()) - {left})
        for apps in (left, moved):
            code, said = self.check(django_db_blocker, tmp_path_factory, apps)
            assert code == 1
            assert "grant_management_oauth_toolkit.E001" in said
