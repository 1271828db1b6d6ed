"""Every token that django-oauth-toolkit hands out is known here and dies with its grant; whatever
dies at the toolkit dies here. Over the example server, in each way that the toolkit has.
"""

import html
import re

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ..example import Browser, fields
from ..example_world import ALIVE, ALL, DEAD, THEIRS, World, served


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, tmp_path_factory):
    with served(django_db_blocker, tmp_path_factory) as seeded:
        yield World(seeded)


@pytest.fixture(scope="module")
def grace(django_db_setup, django_db_blocker, tmp_path_factory):
    """With a grace period in which a rotated refresh token is taken once more."""
    settings = {"REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 600}
    with served(django_db_blocker, tmp_path_factory, **settings) as seeded:
        yield World(seeded)


@pytest.fixture(scope="module")
def kept(django_db_setup, django_db_blocker, tmp_path_factory):
    """Where refresh tokens are not rotated."""
    settings = {"ROTATE_REFRESH_TOKEN": False}
    with served(django_db_blocker, tmp_path_factory, **settings) as seeded:
        yield World(seeded)


class TestTheGracePeriod:
    def test_all_that_it_hands_out_is_known_and_dies_with_the_grant(self, grace):
        """Also what it hands out once the answer of before was itself rotated away."""
        first = grace.tokens()
        second = grace.refresh(first)
        again = grace.refresh(first)
        assert again["access_token"] == second["access_token"]
        third = grace.refresh(second)
        handed_out = [third]
        status, late = grace.client.refresh(first["refresh_token"])  # 3.4.1 refuses that
        if status == 200:
            assert late["grant_id"] == first["grant_id"]
            assert grace.is_known(late["refresh_token"])
            assert grace.access(late) == ALIVE
            handed_out.append(late)
        else:
            assert late["error"] == "invalid_grant"
        if status == 200:
            assert grace.access(third) == ALIVE
            assert grace.client.gm("DELETE", first["grant_id"], third["access_token"])[0] == 204
        for tokens in (first, second, again, *handed_out):
            assert grace.access(tokens) == DEAD
            assert not grace.is_known(tokens["refresh_token"])
            assert grace.refusal(tokens) == "invalid_grant"

    def test_a_revoke_of_the_grant_wins_within_it(self, grace):
        first = grace.tokens()
        second = grace.refresh(first)
        assert grace.client.gm("DELETE", first["grant_id"], second["access_token"])[0] == 204
        for tokens in (first, second):
            assert grace.refusal(tokens) == "invalid_grant"
            assert grace.access(tokens) == DEAD

    @pytest.mark.parametrize("door", ["toolkit", "store"])
    def test_what_was_revoked_does_not_come_back(self, grace, door):
        """The token of before is good for what it became, and not once that was revoked."""
        first = grace.tokens()
        second = grace.refresh(first)
        if door == "toolkit":
            assert grace.client.revoke(second["refresh_token"]) == 200
        else:
            grace.post("/api/1/revoke", {"token": second["refresh_token"]})
        assert grace.refusal(first) == "invalid_grant"
        assert grace.refusal(second) == "invalid_grant"

    def test_tokens_without_a_grant_too(self, grace):
        first = grace.client.authorize(grace.ann, ALL)
        second = grace.refresh(first)
        assert grace.refresh(first)["access_token"] == second["access_token"]
        assert grace.is_known(second["refresh_token"])
        assert "grant_id" not in second

    def test_nothing_is_registered_that_was_not_handed_out(self, grace):
        first = grace.tokens()
        grace.refresh(first)
        count = COUNT_OURS.format(first["grant_id"])
        before = grace.run(count)
        grace.refresh(first)
        assert grace.run(count) == before == [2, 2]

    def test_another_client_kills_nothing_with_it(self, grace):
        first = grace.tokens()
        second = grace.refresh(first)
        assert grace.other.refresh(first["refresh_token"])[0] == 400
        assert grace.is_known(second["refresh_token"])


COUNT_OURS = """
from grant_management.models import AccessToken, RefreshToken
result = [m.objects.filter(grant__grant_id="{}").count() for m in (AccessToken, RefreshToken)]
"""


class TestWithoutRotation:
    def test_the_access_token_that_is_written_over_is_dead_at_once(self, kept):
        first = kept.tokens()
        second = kept.refresh(first)
        assert second["refresh_token"] == first["refresh_token"]
        assert kept.access(first) == DEAD
        assert kept.access(second) == ALIVE
        third = kept.refresh(second)
        assert kept.access(second) == DEAD
        assert kept.client.gm("DELETE", first["grant_id"], third["access_token"])[0] == 204
        assert kept.access(third) == DEAD
        assert kept.refusal(third) == "invalid_grant"

    def test_a_refresh_writes_no_event(self, kept):
        tokens = kept.tokens()
        assert kept.told(lambda: kept.refresh(tokens)) == []

    def test_the_refresh_token_lives_as_long_as_there(self, kept):
        """The toolkit counts from the end of the access token, which each refresh moves."""
        tokens = kept.tokens()
        kept.run(SHORTEN.format(tokens["refresh_token"]))
        refreshed = kept.refresh(tokens)
        left = kept.run(LEFT.format(tokens["refresh_token"]))
        assert 30 * 86_400 < left <= 30 * 86_400 + refreshed["expires_in"]

    def test_what_it_is_replaced_by_does_not_die_with_it(self, kept):
        """Where its access token is gone, the toolkit makes another row of the same value (not
        from 3.4.1, which refuses it), and deletes the old one some day."""
        tokens = kept.tokens()
        kept.run(
            THEIRS
            + f"row = access({tokens['access_token']!r})\n"
            + "AccessToken.objects.filter(pk=row.pk).update(expires=timezone.now())\n"
            + "AccessToken.objects.filter(pk=row.pk).delete()\n"
        )
        status, answer = kept.client.refresh(tokens["refresh_token"])
        if status == 400:  # 3.4.1
            assert not kept.is_known(tokens["refresh_token"])
            return
        kept.run(THEIRS + "RefreshToken.objects.exclude(revoked=None).delete()")
        assert kept.is_known(tokens["refresh_token"])
        assert kept.access(answer) == ALIVE


SHORTEN = """
from datetime import timedelta
from django.utils import timezone
from grant_management.models import RefreshToken
from grant_management.protocol.digests import sha256
soon = timezone.now() + timedelta(minutes=5)
RefreshToken.objects.filter(digest=sha256("{}")).update(expires_at=soon)
"""
LEFT = """
from django.utils import timezone
from grant_management.models import RefreshToken
from grant_management.protocol.digests import sha256
ends = RefreshToken.objects.get(digest=sha256("{}")).expires_at
result = (ends - timezone.now()).total_seconds()
"""


@pytest.fixture(scope="module")
def oidc(django_db_setup, django_db_blocker, tmp_path_factory):
    """With OpenID Connect."""
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    scopes = {name: name for name in f"{ALL} openid".split()}
    settings = {
        "OIDC_ENABLED": True,
        "OIDC_RSA_PRIVATE_KEY": key.decode(),
        "OIDC_RP_INITIATED_LOGOUT_ENABLED": True,
        "SCOPES": scopes,
    }
    with served(django_db_blocker, tmp_path_factory, **settings) as seeded:
        world = World(seeded)
        world.run(f"{THEIRS}Application.objects.update(algorithm='RS256')")
        yield world


def operator(world):
    """The session of a superuser."""
    world.run(
        "from django.contrib.auth.models import User\n"
        "if not User.objects.filter(username='op').exists():\n"
        "    User.objects.create_superuser('op', password='only-for-this-test')"
    )
    return Browser(world.base, "op", "only-for-this-test")


def admin_action(world, model, action, value):
    """Press an action of the toolkit's admin, and yes where it asks."""
    session = operator(world).session
    url = f"{world.base}/admin/oauth2_provider/{model}/"
    key = world.run(
        THEIRS + f"result = {'access' if model == 'accesstoken' else 'refresh'}({value!r}).pk"
    )
    page = session.get(url, timeout=60)
    chosen = {"action": action, "_selected_action": key, "index": 0}
    done = session.post(url, data=fields(page.text) | chosen, timeout=60)
    if "Are you sure" in done.text or 'name="post"' in done.text:
        done = session.post(url, data=fields(done.text) | chosen | {"post": "yes"}, timeout=60)
    assert done.status_code == 200, done.text


def offers(world, model, action):
    """Whether the toolkit's admin has that action: 3.4 revokes, versions before delete."""
    page = operator(world).session.get(f"{world.base}/admin/oauth2_provider/{model}/", timeout=60)
    return f'value="{action}"' in page.text


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

    def test_the_page_of_authorized_tokens(self, world):
        tokens = world.tokens()
        key = world.run(THEIRS + f"result = access({tokens['access_token']!r}).pk")

        def give_up():
            url = f"{world.base}/o/authorized_tokens/{key}/delete/"
            page = world.ann.session.get(url, timeout=60)
            form = fields(page.text) or csrf(page.text)
            done = world.ann.session.post(url, data=form, timeout=60, allow_redirects=False)
            assert done.status_code == 302

        told = self.check(world, tokens, give_up)
        assert told[0][1:3] == ["subject", world.client.secrets["client_id"]]

    @pytest.mark.parametrize("model", ["accesstoken", "refreshtoken"])
    def test_the_toolkits_admin(self, world, model):
        """From 3.4 it revokes; before, it deletes, and leaves the access token there."""
        tokens = world.tokens()
        value = tokens["access_token" if model == "accesstoken" else "refresh_token"]
        revokes = offers(world, model, "revoke_tokens")
        action = "revoke_tokens" if revokes else "delete_selected"
        dead = ("access", "refresh") if revokes or model == "accesstoken" else ("refresh",)
        self.check(world, tokens, lambda: admin_action(world, model, action, value), dead)

    def test_an_access_token_whose_end_is_moved(self, world):
        tokens = world.tokens()
        code = f"row = access({tokens['access_token']!r}); row.expires = timezone.now(); row.save()"
        self.check(world, tokens, lambda: world.run(THEIRS + code), ("access",))

    def test_an_access_token_that_is_written_over(self, world):
        """As versions before 3.4 let an operator do in the admin."""
        tokens = world.tokens()
        code = f"row = access({tokens['access_token']!r}); row.token = 'another'; row.save()"
        self.check(world, tokens, lambda: world.run(THEIRS + code), ("access",))
        world.run(THEIRS + "access('another').delete()")

    def test_a_family_that_the_host_revokes(self, world):
        """From 3.4.1 there is a method for that, which sends no signal."""
        tokens = world.tokens()
        family = f"refresh({tokens['refresh_token']!r}).token_family"
        code = (
            f"family = {family}\n"
            "if hasattr(RefreshToken, 'revoke_family'):\n"
            "    RefreshToken.revoke_family(family)\n"
            "else:\n"
            "    [row.revoke() for row in RefreshToken.objects.filter(token_family=family)]"
        )
        self.check(world, tokens, lambda: world.run(THEIRS + code))


class TestOpenID:
    """ID tokens, which the toolkit takes for access tokens, and the logout at the provider."""

    def tokens(self, oidc):
        tokens = oidc.client.authorize(
            oidc.ann, f"{ALL} openid", grant_management_action="create", nonce="n"
        )
        assert "id_token" in tokens
        return tokens

    def test_an_id_token_dies_with_the_grant(self, oidc):
        tokens = self.tokens(oidc)
        assert oidc.client.opens(tokens["id_token"])
        refreshed = oidc.refresh(tokens)
        assert not oidc.client.opens(tokens["id_token"])
        assert oidc.client.opens(refreshed["id_token"])
        assert oidc.client.gm("DELETE", tokens["grant_id"], refreshed["access_token"])[0] == 204
        assert not oidc.client.opens(refreshed["id_token"])

    def test_a_logout_takes_all_tokens_along(self, oidc):
        """One act, by the subject."""
        pairs = [self.tokens(oidc) for _ in range(2)]
        user = Browser(oidc.base, **oidc.seeded["users"][0])

        def log_out():
            url = f"{oidc.base}/o/logout/"
            page = user.session.get(url, timeout=60)
            form = fields(page.text) | csrf(page.text) | {"allow": "on"}
            done = user.session.post(page.url, data=form, timeout=60, allow_redirects=False)
            assert done.status_code == 302, done.text

        told = oidc.told(log_out)
        assert [event[:2] for event in told] == [["tokens_revoked", "subject"]]
        for tokens in pairs:
            assert oidc.access(tokens) == DEAD
            assert not oidc.is_known(tokens["refresh_token"])

    def test_a_logout_finds_the_clients_by_one_query(self, oidc):
        few, many = oidc.run(CLIENTS)
        assert few == many


CLIENTS = """
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from oauth2_provider.models import AccessToken as Theirs, Application
from grant_management.contrib.oauth_toolkit import bridge
from grant_management.contrib.oauth_toolkit.token_views import _given_up

def counted(number):
    apps = [Application(pk=1_000 + one, client_id=f"logout-{number}-{one}") for one in range(number)]
    for one in apps:
        bridge.client(one)
    with CaptureQueriesContext(connection) as captured:
        with _given_up(User.objects.first(), [Theirs(application=one) for one in apps]):
            pass
    return len(captured)

result = [counted(number) for number in (1, 4)]
"""


def csrf(page):
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]*)"', page)
    return {"csrfmiddlewaretoken": html.unescape(found[1])}
