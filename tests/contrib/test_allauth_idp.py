"""The bridge to allauth's OpenID Connect provider: what is its own."""

import html
import json
import re
import subprocess

import pytest
import requests
from authlib.common.security import generate_token
from django.utils import translation

from grant_management.contrib.bridge.scopes import SCOPES

from ..bridges import ALLAUTH, EACH, fields
from ..example import GM, PYTHON, example_environment, new_database, parameters
from ..example_world import ALIVE, DEAD, World, served

pytestmark = [*EACH[1].marks]


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, tmp_path_factory):
    with served(django_db_blocker, tmp_path_factory, bridge=ALLAUTH) as seeded:
        yield World(seeded)


@pytest.fixture(scope="module")
def kept(django_db_setup, django_db_blocker, tmp_path_factory):
    """Where refresh tokens are not rotated."""
    settings = {"bridge": ALLAUTH, "IDP_OIDC_ROTATE_REFRESH_TOKEN": False}
    with served(django_db_blocker, tmp_path_factory, **settings) as seeded:
        yield World(seeded)


def asking(world, scope=GM, **asked):
    return world.client.url(world.client.session(scope), generate_token(48), **asked)


MARKUP = """
from grant_management.models import Grant
grant = Grant.objects.get(grant_id={0!r})
grant.scopes = grant.scopes.replace("openid", "<script> openid")
grant.save()
result = grant.scopes
"""


class TestTheConsentPage:
    def press(self, world, url, **changed):
        """What allauth's form leads to, with these of its fields changed; None: left out."""
        there, data = ALLAUTH.form(world.ann.open(url).text, url)
        data = {**data, **ALLAUTH.allow, **changed}
        sent = {name: value for name, value in data.items() if value is not None}
        return world.ann.session.post(there, data=sent, timeout=60, allow_redirects=False)

    def test_the_two_scopes_are_said_in_words(self, world):
        page = world.ann.open(asking(world)).text
        shown = re.findall(r'<label[^>]*>\s*<input type="checkbox"[^>]*>\s*(.+?)\s*</label>', page)
        assert {"See what you allowed", "Give up what you allowed"} <= set(shown)

    def test_a_field_of_another_page_is_refused(self, world):
        """Neither field of one page is worth anything with the other field of another one."""
        tokens = world.tokens()
        merge = {"grant_management_action": "merge", "grant_id": tokens["grant_id"]}
        create, replace = asking(world), asking(world, **merge | {"state": "s"})
        other = fields(world.ann.open(replace).text)
        for name in ("request", "grant_management"):
            assert self.press(world, create, **{name: other[name]}).status_code == 403
        assert world.refresh(tokens)

    @pytest.mark.parametrize("value", [None, "", "x", "a:b:c"])
    def test_a_page_without_the_field_is_refused(self, world, value):
        """Also where the request is about no grant: nobody can tell that without the field."""
        for asked in ({}, {"grant_management_action": "create"}):
            done = self.press(world, asking(world, **asked), grant_management=value)
            assert done.status_code == 403

    def test_a_field_of_another_user_is_refused(self, world):
        url = asking(world, grant_management_action="create")
        bobs = fields(world.bob.open(url).text)["grant_management"]
        assert self.press(world, url, grant_management=bobs).status_code == 403

    def test_parameters_at_the_form_change_nothing(self, world):
        """What counts is what the page showed."""
        tokens = world.tokens()
        url = asking(world, "write", grant_management_action="create")
        more = {"grant_management_action": "replace", "grant_id": tokens["grant_id"]}
        assert "code" in parameters(self.press(world, url, **more).headers["Location"])
        assert world.access(tokens) == ALIVE

    def test_it_says_what_the_grant_gets(self, world):
        grant_id = world.tokens()["grant_id"]
        asked = {"grant_management_action": "merge", "grant_id": grant_id}
        place = "https://rs.example.com/accounts"
        page = html.unescape(world.ann.open(asking(world, **asked, resource=place)).text)
        assert "This is added to what you allowed this application before." in page
        words = SCOPES | {"openid": "View your user ID"}
        with translation.override("en"):
            before = ", ".join(str(words.get(scope, scope)) for scope in world.all.split())
        assert f"Before: {before}." in page
        assert f"It is limited to: {place}." in page
        assert "permission" not in world.ann.open(asking(world)).text.partition("<ul")[0]

    @pytest.mark.parametrize(
        "place", ["https://x/?<b>", "https://x/?a='\"", "https://x/ y", f"https://x/{'y' * 2_000}"]
    )
    def test_a_resource_that_no_grant_can_hold_is_refused_before_it_is_shown(self, world, place):
        """RFC 8707 §2. Such a text could be markup."""
        url = asking(world, grant_management_action="create", resource=place)
        page = world.ann.open(url)
        assert "<b>" not in page.text
        assert parameters(page.headers["Location"])["error"] == "invalid_target"

    def test_markup_in_a_resource_or_a_label_is_shown_as_text(self, world):
        """What a grant can hold may be markup too: such as the scope that a host gave a merge."""
        grant_id = world.tokens()["grant_id"]
        world.run(MARKUP.format(grant_id))
        asked = {"grant_management_action": "merge", "grant_id": grant_id}
        page = world.ann.open(asking(world, **asked, resource="https://x/?a&lt;b")).text
        assert "<script>" not in page
        assert "&lt;script&gt;" in page
        assert "https://x/?a&amp;lt;b" in page

    def test_the_grant_holds_what_the_user_ticked(self, world):
        scope = f"{world.all} read write"
        url = asking(world, scope, grant_management_action="create")
        session, verifier = world.client.session(scope), generate_token(48)
        url = world.client.url(session, verifier, grant_management_action="create")
        ticked = [*GM.split(), "read"]
        location = self.press(world, url, scopes=ticked).headers["Location"]
        tokens = world.client.fetch(session, location, verifier)
        shown = world.client.gm("GET", tokens["grant_id"], tokens["access_token"])
        assert shown == (200, {"scopes": [{"scope": " ".join(sorted(ticked))}]})

    def test_a_resource_is_in_the_grant(self, world):
        place = "https://rs.example.com/accounts"
        tokens = world.tokens(GM, grant_management_action="create", resource=place)
        shown = world.client.gm("GET", tokens["grant_id"], tokens["access_token"])[1]
        assert shown == {"scopes": [{"scope": GM, "resource": [place]}]}


SKIP = "from allauth.idp.oidc.models import Client\nClient.objects.update(skip_consent={})"
TYPES = "from allauth.idp.oidc.models import Client\nClient.objects.update(response_types={!r})"


class TestWithoutAPage:
    def test_an_action_shows_it_though_the_client_may_skip_it(self, world):
        world.run(SKIP.format(True))
        try:
            for prompt in ({}, {"prompt": "consent"}):
                assert world.ann.open(asking(world, world.all, **prompt)).status_code == 302
                tokens = world.client.authorize(world.ann, world.all, **prompt)
                assert world.access(tokens) == ALIVE | {"gm": 404}
            page = world.ann.open(asking(world, grant_management_action="create"))
            assert page.status_code == 200
            assert world.access(world.tokens()) == ALIVE
        finally:
            world.run(SKIP.format(False))

    def test_a_silent_request_gets_no_grant(self, world):
        """OpenID Connect Core §3.1.2.6; and one without an action gives tokens as before."""
        world.tokens()
        grants = world.run(GRANTS)
        url = asking(world, world.all, prompt="none", grant_management_action="create")
        answer = parameters(world.ann.open(url).headers["Location"])
        assert (answer["error"], "code" in answer) == ("consent_required", False)
        assert answer["state"]
        assert world.run(GRANTS) == grants
        tokens = world.client.authorize(world.ann, world.all, prompt="none")
        assert world.access(tokens) == ALIVE | {"gm": 404}

    def test_tokens_of_the_authorization_endpoint_are_known(self, world):
        world.run(TYPES.format("code\ntoken\ncode token"))
        try:
            url = asking(world, world.all).replace("type=code", "type=token")
            handed_out = in_fragment(world.ann.authorize(url))
            assert world.is_known(handed_out["access_token"])
            both = in_fragment(world.ann.authorize(url.replace("type=token", "type=code+token")))
            assert world.is_known(both["access_token"])
            location = world.ann.open(f"{url}&grant_management_action=create").headers["Location"]
            assert in_fragment(location)["error"] == "invalid_request"
        finally:
            world.run(TYPES.format("code"))


GRANTS = "from grant_management.models import Grant\nresult = Grant.objects.count()"


def in_fragment(location):
    return parameters(location.replace("#", "?"))


class TestWhatIsAsked:
    def test_a_parameter_that_comes_twice_in_the_query(self, world):
        url = f"{asking(world, grant_management_action='create')}&grant_management_action=create"
        answer = parameters(world.ann.open(url).headers["Location"])
        assert (answer["error"], "state" in answer) == ("invalid_request", True)

    def test_a_client_that_is_public(self, world):
        """Draft §5.1; without an action it gets a code."""
        kind = "from allauth.idp.oidc.models import Client\nClient.objects.update(type={!r})"
        world.run(kind.format("public"))
        try:
            url = asking(world, grant_management_action="create")
            answer = parameters(world.ann.open(url).headers["Location"])
            assert answer["error"] == "invalid_request"
            assert world.ann.open(asking(world)).status_code == 200
        finally:
            world.run(kind.format("confidential"))


class TestTheTokenEndpoint:
    def test_a_bad_resource_costs_no_refresh_token(self, world):
        """allauth alone deletes the token, then refuses the resource."""
        place = "https://rs.example.com"
        tokens = world.tokens(world.all, grant_management_action="create", resource=place)
        for bad in ("https://other.example.com", "no URI", "https://rs.example.com/a/../b"):
            status, answer = world.client.refresh(tokens["refresh_token"], resource=bad)
            assert (status, answer["error"]) == (400, "invalid_target")
        assert world.refresh(tokens)

    def test_another_client_kills_no_family(self, world):
        """Also where it names the client whose token it is."""
        first = world.tokens()
        second = world.refresh(first)
        assert world.other.refresh(first["refresh_token"])[0] == 400
        named = {"client_id": world.client.secrets["client_id"]}
        assert world.other.refresh(first["refresh_token"], **named)[0] in (400, 401)
        assert world.access(second) == ALIVE

    def test_without_its_secret_it_kills_no_family(self, world):
        first = world.tokens()
        second = world.refresh(first)
        form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
        form["client_id"] = world.client.secrets["client_id"]
        url = f"{world.base}{ALLAUTH.token}"
        for more in ({}, {"client_secret": "x"}):
            assert requests.post(url, data=form | more, timeout=60).status_code == 401
        assert world.access(second) == ALIVE

    def test_a_code_without_a_row_gives_nothing(self, world):
        """As one that allauth's own view, mounted beside ours, would issue."""
        consented = world.client.consent(world.ann, GM)
        world.run(world.theirs + "OurCode.objects.all().delete()")
        status, answer = world.client.redeem(consented)
        assert (status, answer["error"]) == (400, "invalid_grant")

    def test_a_user_who_is_inactive(self, world):
        tokens = world.client.authorize(world.bob, world.all, grant_management_action="create")
        world.run(ACTIVE.format(False))
        try:
            assert world.access(tokens) == DEAD
            assert world.refusal(tokens) == "invalid_grant"
        finally:
            world.run(ACTIVE.format(True))


ACTIVE = """
from django.contrib.auth.models import User
User.objects.filter(username="bob").update(is_active={})
"""


class TestWithoutRotation:
    def test_the_refresh_token_lives_until_its_grant_dies(self, kept):
        first = kept.tokens()
        second = kept.refresh(first)
        assert second["refresh_token"] == first["refresh_token"]
        assert second["grant_id"] == first["grant_id"]
        assert kept.access(first) == kept.access(second) == ALIVE
        assert kept.client.gm("DELETE", first["grant_id"], second["access_token"])[0] == 204
        assert kept.refusal(second) == "invalid_grant"
        assert kept.access(first) == kept.access(second) == DEAD

    def test_one_of_before_is_known_after_its_first_use(self, kept):
        client_id = kept.client.secrets["client_id"]
        before = kept.run(f"{kept.theirs}result = make({client_id!r}, {kept.all!r})")
        kept.refresh(before)
        assert kept.is_known(before["refresh_token"])
        assert kept.access(kept.refresh(before)) == ALIVE | {"gm": 404}

    def test_a_family_ends_with_it(self, kept):
        first = kept.tokens()
        second = kept.refresh(first)
        assert kept.client.revoke(first["refresh_token"]) == 200
        assert kept.access(first) == kept.access(second) == DEAD


class TestOtherDoors:
    def test_a_logout_at_the_provider(self, world):
        """One act, by the subject; tokens of another client live on."""
        pairs = [world.tokens() for _ in range(2)]
        other = world.other.authorize(world.ann, world.all, grant_management_action="create")
        user = world.browser(**world.seeded["users"][0])
        asked = {"client_id": world.client.secrets["client_id"]}

        def log_out():
            page = user.session.get(f"{world.base}{ALLAUTH.logout}", params=asked, timeout=60)
            form = fields(page.text) | {"action": "logout"}
            url = f"{world.base}{ALLAUTH.logout}"
            done = user.session.post(url, data=form, timeout=60, allow_redirects=False)
            assert done.status_code == 302, done.text

        told = world.told(log_out)
        assert [event[:2] for event in told] == [["tokens_revoked", "subject"]]
        for tokens in pairs:
            assert world.access(tokens) == DEAD
            assert world.refusal(tokens) == "invalid_grant"
        assert world.access(other) == ALIVE

    @pytest.mark.parametrize("asked", [{"grant_management_action": "create"}, {"grant_id": "x"}])
    def test_a_device_gets_no_grant(self, world, asked):
        form = {"client_id": world.client.secrets["client_id"], "scope": "read", **asked}
        answer = requests.post(f"{world.base}/identity/o/api/device/code", data=form, timeout=60)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")

    def test_metadata(self, world):
        told = requests.get(f"{world.base}/.well-known/openid-configuration", timeout=60).json()
        assert told["grant_management_actions_supported"]
        assert told["grant_management_endpoint"] == f"{world.base}/gm/1"
        assert {*GM.split()} <= {*told["scopes_supported"]}

    def test_introspection_names_the_grant(self, world):
        tokens = world.tokens()
        for kind in ("access_token", "refresh_token"):
            assert world.introspected(tokens[kind])["grant_id"] == tokens["grant_id"]

    def test_the_admin_deletes(self, world):
        world.run(OPERATOR)
        session = world.browser("op", "only-for-this-test").session
        tokens = world.tokens()
        key = world.run(f"{world.theirs}result = access({tokens['access_token']!r}).pk")
        url = f"{world.base}/admin/allauth_idp_oidc/token/"
        chosen = {"action": "delete_selected", "_selected_action": key, "post": "yes"}
        form = fields(session.get(url, timeout=60).text) | chosen
        told = world.told(lambda: session.post(url, data=form, timeout=60))
        assert [event[0] for event in told] == ["tokens_revoked"]
        assert world.access(tokens) == DEAD

    def test_views_of_rest_framework(self, world):
        """A lock is seen by our authentication class; allauth's own does not see it."""
        tokens = world.client.authorize(world.ann, world.all, grant_management_action="create")
        asked = {"token": tokens["access_token"]}
        which = ("--service", "1", "--client", world.client.secrets["client_id"])
        assert world.run(REST.format(**asked)) == [True, True]
        world.manage("lock_client", *which)
        try:
            assert world.run(REST.format(**asked)) == [False, True]
        finally:
            world.manage("unlock_client", *which)

    def test_a_revoke_takes_one_statement_there(self, world):
        one, many = world.run(world.theirs + COUNT)
        assert one == many <= 7


REST = """
from allauth.core import context
from allauth.idp.oidc.contrib.rest_framework.authentication import TokenAuthentication
from django.test import RequestFactory
from grant_management.contrib.allauth_idp.rest_framework import GrantTokenAuthentication
result = []
for kind in (GrantTokenAuthentication, TokenAuthentication):
    request = RequestFactory(SERVER_NAME="localhost").get("/", HTTP_AUTHORIZATION="Bearer {token}")
    with context.request_context(request):
        result.append(bool(kind().authenticate(request)))
"""
OPERATOR = """
from django.contrib.auth.models import User
User.objects.create_superuser("op", password="only-for-this-test")
"""
COUNT = """
from datetime import timedelta
from django.db import connection
from django.test.utils import CaptureQueriesContext
from grant_management.contrib.allauth_idp import rows
from grant_management.lifecycle import begin, complete
from grant_management.models import Actor, Reason
from grant_management.protocol.content import Content
from grant_management.protocol.digests import sha256

result = []
for number in (1, 200):
    client = rows.our_client(Application.objects.first())
    grant = complete(begin(client, "1", "create", ""), Content(), active=True)
    for index in range(number):
        for kind in ("at", "rt"):
            row = Token(type=kind, client=Application.objects.first())
            row.set_value(f"{grant.grant_id}-{index}")
            row.save()
            link = dict(service=client.service, grant=grant, token=row)
            LinkedToken.objects.create(digest=sha256(f"{grant.grant_id}-{index}"), **link)
    with CaptureQueriesContext(connection) as captured:
        grant.revoke(Actor.operator("ann"), Reason("other"))
    theirs = Token.objects.filter(pk__in=LinkedToken.objects.filter(grant=grant).values("token"))
    assert theirs.count() == 2 * number and not theirs.valid().exists()
    result.append(len(captured))
"""


PER_PROCESS = "django.core.cache.backends.locmem.LocMemCache"


class TestTheChecks:
    @pytest.mark.parametrize(
        ("settings", "error"),
        [
            ({"IDP_OIDC_ADAPTER": "allauth.idp.oidc.adapter.DefaultOIDCAdapter"}, "E002"),
            ({"ROOT_URLCONF": "tests.example_urls"}, "E003"),
            ({"ROOT_URLCONF": "grant_management.urls"}, "E003"),
            ({"IDP_OIDC_PRIVATE_KEY": ""}, "E004"),
            ({"IDP_OIDC_PRIVATE_KEY": "-----BEGIN PRIVATE KEY-----"}, "E004"),
            ({"CACHES": {"default": {"BACKEND": PER_PROCESS}}}, "W001"),
            ({}, None),
        ],
    )
    def test_what_is_wrong_is_said(
        self, django_db_setup, django_db_blocker, tmp_path_factory, settings, error
    ):
        url = new_database(django_db_blocker, tmp_path_factory)
        env = example_environment(url, ALLAUTH, TEST_SETTINGS=json.dumps(settings))
        line = [PYTHON, "manage.py", "check", "--deploy"]
        done = subprocess.run(line, cwd=ALLAUTH.folder, env=env, capture_output=True, text=True)
        named = f"grant_management_allauth_idp.{error or ''}"
        assert (named in done.stderr) is (error is not None), done.stderr
        assert (done.returncode == 1) is (error is not None and error.startswith("E"))


STATEMENTS = """
import secrets
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from allauth.idp.oidc.models import Client, Token
from grant_management.contrib.allauth_idp.models import LinkedToken
from grant_management.contrib.allauth_idp.rows import SERVER
from grant_management.models import AccessToken
from grant_management.lifecycle import Issue, issue

def made(number, user, client):
    values = [secrets.token_urlsafe() for _ in range(number)]
    for value in values:
        row = Token(type="at", client=client, user=user)
        row.set_value(value)
        row.set_scopes(["read"])
        row.save()
        token = issue(SERVER.client(client.pk, ""), str(user.pk), None, Issue(scopes="read", access_token=value, access_token_duration=60)).access
        LinkedToken.objects.create(service=token.service, token=row, digest=token.digest)
    return row

def counted(number, kind):
    user = User.objects.create(username=secrets.token_urlsafe())
    client = Client.objects.create(name="x", type="confidential")
    row = made(number, user, client)
    origin = {"user": user, "users": User.objects.filter(pk=user.pk), "client": client, "tokens": Token.objects.filter(user=user)}[kind]
    with CaptureQueriesContext(connection) as captured:
        origin.delete()
    alive = AccessToken.objects.filter(subject=str(user.pk), revoked_at=None)
    assert not Token.objects.filter(pk=row.pk).exists() and not alive.exists()
    return len(captured)

result = [counted(number, {0!r}) for number in (2, 9)]
"""


@pytest.mark.parametrize("kind", ["tokens", "user", "users", "client"])
def test_a_deletion_takes_tokens_along_in_a_constant_number_of_statements(world, kind):
    few, many = world.run(STATEMENTS.replace("{0!r}", repr(kind)))
    assert few == many
