"""The bridge to django-oauth-toolkit: what is its own of codes, old tokens and limits."""

import json

import pytest
import requests

from ..example import parameters
from ..example_world import ALL, THEIRS, World, served
from .test_bridges_grants import AGE, CODES, COUNTS


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


class TestCodes:
    def consent(self, world, action, grant_id="", scope=ALL):
        asked = {"grant_management_action": action}
        return world.client.consent(
            world.ann, scope, **asked | ({"grant_id": grant_id} if grant_id else {})
        )

    def refused(self, world, consented):
        status, answer = world.client.redeem(consented)
        assert (status, answer["error"]) == (400, "invalid_grant")

    def test_a_parameter_that_comes_twice(self, world):
        """In the request, and where its form is sent."""
        session = world.client.session(ALL)
        url = world.client.url(session, "v" * 48, grant_management_action="create")
        twice = f"{url}&grant_management_action=create"
        page = world.ann.opened(url, at=twice)
        for location in (world.ann.open(twice).headers["Location"], page()):
            answer = parameters(location)
            assert (answer["error"], "state" in answer) == ("invalid_request", True)

    def test_one_that_is_redeemed_between_two_steps(self, world):
        """The toolkit reads its row at each of these."""
        assert world.run(GONE) == ["invalid_grant"] * 3

    def test_cleartokens_forgets_them(self, world):
        world.run(THEIRS + AGE.format(0, 0))
        self.consent(world, "create")
        assert world.run(THEIRS + CODES) == 1
        world.run(THEIRS + "Grant.objects.update(expires=timezone.now())")
        world.manage("cleartokens")
        assert world.run(THEIRS + CODES) == 0


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


class TestTokensOfBefore:
    """Of before the app was added: the toolkit's alone."""

    @pytest.fixture
    def before(self, world):
        made = json.loads(world.run(BEFORE.format(world.client.secrets["client_id"], ALL)))
        yield made
        world.run(THEIRS + "RefreshToken.objects.filter(token__startswith='before').delete()")
        world.run(THEIRS + "AccessToken.objects.filter(token__startswith='before').delete()")

    def test_when_one_comes_again_what_it_became_dies(self, world, before):
        """From 3.4.1 the toolkit kills the family by one update."""
        tokens = world.refresh(before)
        told = world.told(lambda: world.refusal(before))
        assert [event[0] for event in told] == ["tokens_revoked"]
        assert world.refusal(tokens) == "invalid_grant"
        assert not world.is_known(tokens["access_token"])
        assert not world.is_known(tokens["refresh_token"])


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


class TestRefreshes:
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
        before = long.run(THEIRS + COUNTS)
        status, answer = long.client.redeem({"code": long.run(made), "code_verifier": "v" * 43})
        assert (status, answer["error"]) == (400, "invalid_request")
        assert long.run(THEIRS + COUNTS) == before

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
