"""The device flow of django-oauth-toolkit with grant management: a device, a user, two processes."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from ..example import GM, Browser, fields
from ..example_world import World, served
from ..ours import connection

CODE = "urn:ietf:params:oauth:grant-type:device_code"


class Device:
    """A device of a client, and a user at a browser who enters its code."""

    def __init__(self, world, number=0):
        self.base, client = world.base, world.seeded["clients"][number]
        self.auth = client["device_client_id"], client["device_client_secret"]
        self.client_id = self.auth[0]

    def asks(self, scope=GM, *, auth=None, **asked):
        """Of the device authorization endpoint: the status and the answer."""
        form = {"client_id": self.client_id, "scope": scope, **asked}
        url = f"{self.base}/o/device-authorization/"
        answer = requests.post(url, data=form, auth=auth or self.auth, timeout=60)
        return answer.status_code, answer.json()

    def code(self, scope=GM, **asked):
        status, answer = self.asks(scope, **asked)
        assert status == 200, answer
        return answer

    def polls(self, code, **more):
        """Of the token endpoint: the status and the answer."""
        form = {"grant_type": CODE, "device_code": code["device_code"], **more}
        answer = requests.post(f"{self.base}/o/token/", data=form, auth=self.auth, timeout=60)
        return answer.status_code, answer.json()

    def refresh(self, token):
        form = {"grant_type": "refresh_token", "refresh_token": token}
        answer = requests.post(f"{self.base}/o/token/", data=form, auth=self.auth, timeout=60)
        return answer.status_code, answer.json()

    def tokens(self, browser, scope=GM, **asked):
        code = self.code(scope, **asked)
        assert decides(browser, code)[0] == 302
        status, answer = self.polls(code)
        assert status == 200, answer
        return answer


def page(browser, code):
    """The page that asks, after the user entered the code."""
    entry = browser.session.get(code["verification_uri_complete"], timeout=60)
    form = fields(entry.text) | {"user_code": code["user_code"]}
    return browser.session.post(code["verification_uri"], data=form, timeout=60)


def decides(browser, code, action="accept"):
    """The answer to the user's press of a button."""
    asking = page(browser, code)
    assert asking.status_code == 200, asking.text
    return presses(browser, asking, action)


def presses(browser, asking, action):
    form = fields(asking.text) | {"action": action}
    done = browser.session.post(asking.url, data=form, timeout=60, allow_redirects=False)
    return done.status_code, done.text


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, tmp_path_factory):
    with served(django_db_blocker, tmp_path_factory, workers=2) as seeded:
        yield World(seeded)


@pytest.fixture
def device(world):
    return Device(world)


def held(world, tokens):
    status, shown = world.client.gm("GET", tokens["grant_id"], tokens["access_token"])
    assert status == 200, shown
    return shown["scopes"]


def test_the_whole_life(world, device):
    """Create, merge, replace, refresh and revoke, by devices alone."""
    first = device.tokens(world.ann, f"{GM} read", grant_management_action="create")
    grant_id = first["grant_id"]
    assert held(world, first) == [{"scope": f"{GM} read"}]

    asked = {"grant_management_action": "merge", "grant_id": grant_id}
    merged = device.tokens(world.ann, "write", **asked)
    assert merged["grant_id"] == grant_id
    assert held(world, first) == [{"scope": f"{GM} read write"}]
    assert device.refresh(first["refresh_token"])[1]["error"] == "invalid_grant"

    asked["grant_management_action"] = "replace"
    replaced = device.tokens(world.ann, GM, **asked)
    assert held(world, replaced) == [{"scope": GM}]
    assert world.client.gm("GET", grant_id, first["access_token"])[0] == 401

    status, refreshed = device.refresh(replaced["refresh_token"])
    assert (status, refreshed["grant_id"]) == (200, grant_id)
    assert world.client.gm("DELETE", grant_id, refreshed["access_token"])[0] == 204
    assert device.refresh(refreshed["refresh_token"])[0] == 400
    assert not world.is_active(refreshed["access_token"])


def test_without_an_action_there_is_no_grant(world, device):
    tokens = device.tokens(world.ann)
    assert "grant_id" not in tokens
    assert world.is_known(tokens["access_token"])


def test_what_is_refused_at_once(world, device):
    """Draft §5.4, before the user is asked; and nothing is kept."""
    grant_id = device.tokens(world.ann, grant_management_action="create")["grant_id"]
    other = Device(world, 1)
    before = world.run(COUNTED)
    for bad, error in (
        ({"grant_management_action": "create", "grant_id": grant_id}, "invalid_request"),
        ({"grant_management_action": "merge"}, "invalid_request"),
        ({"grant_management_action": "update", "grant_id": grant_id}, "invalid_request"),
        ({"grant_management_action": ["create", "create"]}, "invalid_request"),
        ({"grant_id": grant_id}, "invalid_request"),
        ({"grant_management_action": "merge", "grant_id": "unknown"}, "invalid_grant_id"),
    ):
        status, answer = device.asks(**bad)
        assert (status, answer["error"]) == (400, error), bad
    theirs = {"grant_management_action": "replace", "grant_id": grant_id}
    assert other.asks(**theirs)[1]["error"] == "invalid_grant_id"
    world.run(PUBLIC.format("public", device.client_id))
    try:
        assert device.asks(grant_management_action="create")[1]["error"] == "invalid_request"
        assert device.asks()[0] == 200
    finally:
        world.run(PUBLIC.format("confidential", device.client_id))
    assert world.run(COUNTED) == [before[0] + 1, before[1] + 1]


def test_a_client_must_be_the_one_that_it_names(world, device):
    """Else one client could ask in the name of another one."""
    other = Device(world, 1)
    assert device.asks(auth=other.auth)[0] == 401
    assert device.asks(auth=(device.client_id, "wrong"))[0] == 401


def test_the_page_says_what_the_grant_will_have(world, device):
    tokens = device.tokens(world.ann, f"{GM} read", grant_management_action="create")
    asked = {"grant_management_action": "merge", "grant_id": tokens["grant_id"]}
    shown = page(world.ann, device.code("write", **asked))
    lists = [re.findall("<li>(.*?)</li>", one) for one in re.findall("<ul>.*?</ul>", shown.text)]
    assert lists[0] == ["Make payments"]
    assert sorted(lists[1]) == sorted(
        ["Make payments", "Read your accounts", "See what you allowed", "Give up what you allowed"]
    )
    assert shown.headers["X-Frame-Options"] == "DENY"
    asked["grant_management_action"] = "replace"
    assert "takes the place" in page(world.ann, device.code("write", **asked)).text
    assert "grant" not in page(world.ann, device.code("write")).text


def test_the_errors_of_polling(world, device):
    """RFC 8628 §3.5."""
    code = device.code(grant_management_action="create")
    assert error_of(device.polls(code)) == "authorization_pending"
    assert error_of(Device(world, 1).polls(code)) == "invalid_grant"
    assert error_of(device.polls({"device_code": "unknown"})) == "invalid_grant"
    assert error_of(device.polls({"device_code": ""})) == "invalid_request"
    assert decides(world.ann, code, "deny")[0] == 302
    assert error_of(device.polls(code)) == "access_denied"

    late = device.code(grant_management_action="create")
    asking = page(world.ann, late)
    world.run(EXPIRED.format(late["user_code"]))
    assert error_of(device.polls(late)) == "expired_token"
    grants = world.run(GRANTS)
    assert presses(world.ann, asking, "accept")[0] == 302
    assert world.run(GRANTS) == grants
    assert error_of(device.polls(late)) == "expired_token"

    narrow = device.code("read", grant_management_action="create")
    decides(world.ann, narrow)
    assert error_of(device.polls(narrow, scope="write")) == "invalid_scope"
    allowed_late = device.code(grant_management_action="create")
    decides(world.ann, allowed_late)
    world.run(EXPIRED.format(allowed_late["user_code"]))
    assert error_of(device.polls(allowed_late)) == "expired_token"


def test_polling_too_fast(world, device):
    """`slow_down`, once for each poll that is too soon; a decision is told at once."""
    code = device.code(grant_management_action="create")
    with ThreadPoolExecutor(3) as pool:
        errors = sorted(error_of(one) for one in pool.map(lambda _: device.polls(code), range(3)))
    assert errors == ["authorization_pending", "slow_down", "slow_down"]
    world.run(LONG_AGO)
    assert error_of(device.polls(code)) == "authorization_pending"
    assert error_of(device.polls(code)) == "slow_down"
    assert decides(world.ann, code)[0] == 302
    assert device.polls(code)[0] == 200


def test_a_code_is_judged_only_for_an_authenticated_client(world, device):
    code = device.code(grant_management_action="create")
    form = {"grant_type": CODE, "device_code": code["device_code"], "client_id": device.client_id}
    answer = requests.post(f"{world.base}/o/token/", data=form, timeout=60)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_grant_of_another_user_cannot_be_allowed(world, device):
    """The page says so, nothing is written, and the right user may still decide."""
    tokens = device.tokens(world.ann, f"{GM} read", grant_management_action="create")
    code = device.code("write", grant_management_action="replace", grant_id=tokens["grant_id"])
    asking = page(world.bob, code)
    assert 'role="alert"' in asking.text
    assert 'value="accept"' not in asking.text
    assert presses(world.bob, asking, "accept")[0] == 400
    assert held(world, tokens) == [{"scope": f"{GM} read"}]
    assert error_of(device.polls(code)) == "authorization_pending"
    assert decides(world.ann, code)[0] == 302
    assert device.polls(code)[1]["grant_id"] == tokens["grant_id"]


def test_only_the_user_who_entered_the_code_decides(world, device):
    """Before 3.4.1 the toolkit lets any user who knows the page's URL decide for another."""
    code = device.code(grant_management_action="create")
    asking = page(world.ann, code)
    answer = world.bob.session.get(asking.url, timeout=60)
    form = fields(asking.text) | fields(answer.text) | {"action": "accept"}
    form |= fields(world.bob.session.get(code["verification_uri"], timeout=60).text)
    assert world.bob.session.post(asking.url, data=form, timeout=60).status_code == 404
    assert error_of(device.polls(code)) == "authorization_pending"


@pytest.mark.parametrize("stopping", ["replace", "revoke", "lock"])
def test_a_grant_that_changed_before_its_code_is_redeemed(world, stopping):
    device = Device(world)
    code = device.code(grant_management_action="create")
    assert decides(world.ann, code)[0] == 302
    world.run(STOPPING[stopping].format(device.client_id))
    assert error_of(device.polls(code)) == "invalid_grant"
    world.run(UNLOCKED.format(device.client_id))


def test_a_code_whose_grant_was_purged_is_refused(world, device):
    code = device.code(grant_management_action="create")
    assert decides(world.ann, code)[0] == 302
    world.run("from grant_management.models import *\nGrant.objects.filter(pending=True).delete()")
    assert error_of(device.polls(code)) == "invalid_grant"


@pytest.mark.parametrize("asked", [{"grant_management_action": "create"}, {}])
def test_a_code_is_redeemed_once(world, device, asked):
    """Also at the same moment, in two processes."""
    answers = []
    for _ in range(20 if connection.vendor == "postgresql" else 3):
        code = device.code(**asked)
        assert decides(world.ann, code)[0] == 302
        with ThreadPoolExecutor(4) as pool:
            answers = sorted(pool.map(lambda _, c=code: device.polls(c)[0], range(4)))
        assert answers == [200, 400, 400, 400]
        assert error_of(device.polls(code)) == "invalid_grant"


def test_a_code_of_the_toolkits_own_view_is_redeemed_once(world, device):
    """One that was issued before this app was added."""
    code = device.code()
    world.run(
        "from grant_management.contrib.oauth_toolkit.models import *\n"
        "DeviceAuthorization.objects.all().delete()"
    )
    assert decides(world.ann, code)[0] == 302
    assert [device.polls(code)[0] for _ in range(2)] == [200, 400]


def test_two_decisions_at_once(world, device):
    """One counts: where it was to deny, the grant was not written."""
    browsers = [world.ann, Browser(world.base, **world.seeded["users"][0])]
    for _ in range(10 if connection.vendor == "postgresql" else 2):
        code = device.code(grant_management_action="create")
        pages = [page(browser, code) for browser in browsers]
        before = world.run(GRANTS)
        with ThreadPoolExecutor(2) as pool:
            work = zip(browsers, pages, ("accept", "accept"), strict=True)
            answers = sorted(pool.map(lambda one: presses(*one)[0], work))
        assert answers == [302, 404]
        assert world.run(GRANTS) == before + 1


def test_old_rows_go(world, device):
    """A few of them with each new code."""
    device.code()
    world.run(OLD)
    before = world.run(COUNTED)[0]
    device.code()
    assert world.run(COUNTED)[0] < before + 1


def error_of(answer):
    assert answer[0] == 400, answer
    return answer[1]["error"]


COUNTED = """
from oauth2_provider.models import DeviceGrant
from grant_management.contrib.oauth_toolkit.models import DeviceAuthorization
result = [DeviceAuthorization.objects.count(), DeviceGrant.objects.count()]
"""
GRANTS = "from grant_management.models import Grant\nresult = Grant.objects.count()"
PUBLIC = """
from oauth2_provider.models import Application
Application.objects.filter(client_id="{1}").update(client_type="{0}")
"""
EXPIRED = """
from django.utils import timezone
from oauth2_provider.models import DeviceGrant
DeviceGrant.objects.filter(user_code="{0}").update(expires=timezone.now())
"""
LONG_AGO = """
import datetime
from django.utils import timezone
from grant_management.contrib.oauth_toolkit.models import DeviceAuthorization
past = timezone.now() - datetime.timedelta(seconds=4)
DeviceAuthorization.objects.exclude(polled_at=None).update(polled_at=past)
"""
OLD = """
import datetime
from django.utils import timezone
from grant_management.db.ids import first_uuid7
from grant_management.contrib.oauth_toolkit.models import DeviceAuthorization
past = timezone.now() - datetime.timedelta(days=3)
row = DeviceAuthorization.objects.first()
row.delete()
row.pk, row.expires_at = first_uuid7(past), past
row.save(force_insert=True)
"""
LATEST = """
from grant_management.models import *
from grant_management.db import clock
grant = Grant.objects.filter(client__client_id="{0}").order_by("-id").first()
"""
STOPPING = {
    "replace": LATEST + "from grant_management import lifecycle\n"
    "grant.pending = False; grant.save()\n"
    "to = lifecycle.Authorization(grant.client, grant.subject, lifecycle.GrantAction.REPLACE, grant.grant_id)\n"
    "lifecycle.complete(to, grant.held())",
    "revoke": LATEST + "grant.pending = False; grant.save()\n"
    "assert Grant.objects.get(pk=grant.pk).revoke(Actor.command('test'), Reason('test'))",
    "lock": LATEST + "grant.client.lock(Actor.command('test'), Reason('test'))",
}
UNLOCKED = LATEST + "Client.objects.filter(pk=grant.client_id).update(locked_at=None)"
