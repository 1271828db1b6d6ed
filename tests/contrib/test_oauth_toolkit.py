"""django-oauth-toolkit with grant management: end to end over HTTP, with clients of others."""

import json
import re

import pytest
import requests
from authlib.common.security import generate_token

from ..example import GM, Browser, Client, example_server, new_database, parameters


@pytest.fixture(scope="module")
def example(django_db_setup, django_db_blocker, tmp_path_factory):
    """The example server, on a database of its own of the kind that the run is on."""
    with example_server(new_database(django_db_blocker, tmp_path_factory)) as seeded:
        yield seeded


@pytest.fixture
def client(example):
    return Client(example)


@pytest.fixture
def ann(example):
    return Browser(example["base"], **example["users"][0])


@pytest.fixture
def bob(example):
    return Browser(example["base"], **example["users"][1])


def introspected(example, client, token):
    """By the toolkit's own introspection view."""
    headers = {"Authorization": f"Bearer {client.own_token('introspection')}"}
    answer = requests.post(
        f"{example['base']}/o/introspect/", data={"token": token}, headers=headers, timeout=20
    )
    return answer.json()["active"]


def test_the_page_says_what_the_grant_will_have(client, ann):
    """All scopes of the grant after a merge, and none but those asked for otherwise."""
    grant_id = client.authorize(ann, "read", grant_management_action="create")["grant_id"]
    asked = {"grant_management_action": "merge", "grant_id": grant_id}
    page = ann.open(client.url(client.session("write"), generate_token(48), **asked)).text
    lists = [re.findall("<li>(.*?)</li>", one) for one in re.findall("<ul>.*?</ul>", page)]
    assert lists == [["Make payments"], ["Read your accounts", "Make payments"]]


@pytest.mark.parametrize("change", ["grant_id", "action", "dropped", "added"])
def test_the_form_is_pinned_to_what_was_shown(client, ann, change):
    """The query of the POST cannot differ from that of the page."""
    one = client.authorize(ann, GM, grant_management_action="create")
    two = client.authorize(ann, f"{GM} read", grant_management_action="create")
    session, verifier = client.session("write"), generate_token(48)
    asked = (
        {}
        if change == "added"
        else {"grant_management_action": "merge", "grant_id": one["grant_id"]}
    )
    url = client.url(session, verifier, **asked)
    merge = f"grant_management_action=merge&grant_id={one['grant_id']}"
    sent = {
        "grant_id": url.replace(one["grant_id"], two["grant_id"]),
        "action": url.replace("=merge", "=replace"),
        "dropped": url.replace(f"&{merge}", ""),
        "added": f"{url}&{merge}",
    }[change]
    assert sent != url
    assert parameters(ann.authorize(url, at=sent))["error"] == "invalid_request"
    for tokens in (one, two):
        assert client.refresh(tokens["refresh_token"])[0] == 200


def test_an_action_always_shows_the_page(example, client, ann):
    """Also where the toolkit would skip it."""
    session, verifier = client.session(GM), generate_token(48)
    client.authorize(ann, GM, grant_management_action="create")
    plain = client.url(session, verifier, approval_prompt="auto")
    assert ann.open(plain).status_code == 302
    action = client.url(session, verifier, approval_prompt="auto", grant_management_action="create")
    assert ann.open(action).status_code == 200
    skip = "from oauth2_provider.models import Application as A; A.objects.update(skip_authorization={})"
    example["manage"]("shell", "-v", "0", "-c", skip.format(True))
    try:
        assert ann.open(action).status_code == 200
        assert ann.open(plain).status_code == 302
    finally:
        example["manage"]("shell", "-v", "0", "-c", skip.format(False))


COUNT = """
import json
from datetime import timedelta
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from oauth2_provider.models import AccessToken as Theirs, Application, RefreshToken
from django.contrib.auth.models import User
from grant_management.contrib.oauth_toolkit.models import LinkedToken
from grant_management.contrib.oauth_toolkit import bridge
from grant_management.lifecycle import begin, complete
from grant_management.models import Actor, Reason
from grant_management.protocol.content import Content

now, user, application = timezone.now(), User.objects.first(), Application.objects.first()
counts = []
for number in (1, 200):
    client = bridge.client(application)
    grant = complete(begin(client, "1", "create", ""), Content(), active=True)
    for index in range(number):
        value = f"{grant.grant_id}-{index}"
        theirs = Theirs(user=user, application=application, token=value, expires=now + timedelta(hours=1))
        theirs.token_checksum = bridge.checksum(value)
        theirs.save()
        refresh = RefreshToken(user=user, application=application, token="r" + value, access_token=theirs)
        refresh.token_checksum = bridge.checksum("r" + value)
        refresh.save()
        LinkedToken.objects.create(service=client.service, grant=grant, access_token=theirs, refresh_token=refresh)
    with CaptureQueriesContext(connection) as captured:
        grant.revoke(Actor.operator("ann"), Reason("other"))
    links = LinkedToken.objects.filter(grant=grant).select_related("access_token", "refresh_token")
    dead = all(link.access_token.is_expired() and link.refresh_token.revoked for link in links)
    assert dead and len(links) == number
    counts.append(len(captured))
print(json.dumps(counts))
"""


def test_a_revoke_kills_there_in_a_constant_number_of_statements(example):
    """And in its own transaction: what is rolled back here is rolled back there."""
    one, many = json.loads(example["manage"]("shell", "-v", "0", "-c", COUNT))
    assert one == many <= 7


TRAIL = """
import json, secrets
from datetime import timedelta
from django.contrib.auth.models import User
from django.utils import timezone
from oauth2_provider.models import AccessToken as Theirs, Application
from grant_management.contrib.oauth_toolkit import bridge
from grant_management.lifecycle import Issue, issue
from grant_management.models import GrantEvent

made = dict(client_type="confidential", authorization_grant_type="client-credentials")
application = Application.objects.create(name="Fresh", client_id=secrets.token_hex(8), **made)
for _ in range(2):
    client = bridge.client(application)
ours = issue(client, None, None, Issue("read", refresh_token=None))
theirs = Theirs(application=application, token=ours.access_token)
theirs.expires = timezone.now() + timedelta(hours=1)
theirs.token_checksum = bridge.checksum(ours.access_token)
theirs.save()
theirs.revoke()
told = GrantEvent.objects.filter(client_id=application.client_id).order_by("pk")
unnamed = GrantEvent.objects.filter(kind="tokens_revoked", actor_kind="system").exists()
print(json.dumps([[(one.kind, one.actor_kind, one.actor) for one in told], unnamed]))
"""


def test_the_toolkit_leaves_events_too(example):
    """A client that is first seen; a token that is revoked there."""
    told, revoked = json.loads(example["manage"]("shell", "-v", "0", "-c", TRAIL))
    assert told[0] == ["client_created", "system", "django-oauth-toolkit"]
    assert [kind for kind, *_ in told].count("client_created") == 1
    assert revoked


@pytest.mark.parametrize("stop", ["lock_client", "set_cut_off"])
def test_a_lock_or_cut_off_here_stops_the_toolkits_protected_views(example, stop):
    """Its introspection view is one: the caller's own token is dead."""
    client = Client(example, 1)
    token = client.own_token("introspection")
    headers = {"Authorization": f"Bearer {token}"}

    def ask():
        return requests.post(
            f"{example['base']}/o/introspect/", data={"token": "x"}, headers=headers, timeout=20
        ).status_code

    assert ask() == 200
    which = ("--service", "1", "--client", client.secrets["own_client_id"])
    example["manage"](stop, *which)
    assert ask() in (401, 403)
    if stop == "lock_client":
        example["manage"]("unlock_client", *which)
        assert ask() == 200


HOSTILE = r"""
import json
from django.contrib.auth.models import User
from django.test import override_settings
from grant_management.contrib.oauth_toolkit import bridge
from grant_management.lifecycle import Authorization, GrantAction, LifecycleError, begin, complete
from grant_management.models import Client, Grant
from oauth2_provider.models import Application

application = Application.objects.first()
client = bridge.client(application)
before = Grant.objects.count(), Client.objects.count()
said = []

def refused(perform, *arguments):
    try:
        perform(*arguments)
    except LifecycleError as error:
        said.append([error.error, error.description])
    else:
        said.append(None)

many = [f"https://rs.example.com/{n}" for n in range(5_001)]
for scopes, credentials in (
    ("read", {"claims": '{"userinfo":{"email":{"value":1e9999999999999999999}}}'}),
    ("read", {"claims": '{"userinfo":{"a":null,"a":null}}'}),
    ("read", {"claims": {"userinfo": {"a\ud800": None}}}),
    ("read", {"claims": json.dumps({"userinfo": {"x" * 256: None}})}),
    ("read", {"claims": '[]x'}),
    ("read", {"claims": '["email"]'}),
    ("read", {"resource": ["no URI"]}),
    ("read write", {"resource": many}),
    ("x" * 256, {}),
    ("read", {"claims": json.dumps({"userinfo": {f"{n:0200}": None for n in range(1_400)}})}),
):
    refused(bridge.consented, scopes.split(), credentials.get("resource"), credentials.get("claims"))
application.client_id = "a\x01b"
refused(bridge.client, application)
refused(begin, client, "x" * 256, "create", "")
refused(complete, Authorization(client, "a\x00", GrantAction.CREATE), bridge.consented(["read"], None, None))
taken = bridge.consented("read write".split(), "https://rs.example.com", '{"userinfo":{"email":null}}')
other = Application(client_id="new", name="Line\nfeed" + "x" * 300)
named = bridge.client(other)
assert (Grant.objects.count(), Client.objects.count()) == (before[0], before[1] + 1)
print(json.dumps([said, sorted(map(list, taken.pairs)), sorted(taken.claims), named.name]))
"""


def test_the_bridge_takes_what_the_other_doors_take(example):
    """What it is given by the toolkit, and by clients through it; what is refused leaves nothing."""
    said, pairs, claims, name = json.loads(example["manage"]("shell", "-v", "0", "-c", HOSTILE))
    assert [one[0] for one in said] == ["invalid_request"] * len(said)
    assert all("\ud800" not in one[1] and "x" * 256 not in one[1] for one in said)
    assert pairs == [["read", "https://rs.example.com"], ["write", "https://rs.example.com"]]
    assert claims == ["email"]
    assert (name[:9], len(name)) == ("Line feed", 255)
