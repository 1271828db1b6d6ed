"""The bridges: a refresh beside whatever stops it, in two processes.

Where both were acknowledged, nothing of before is alive.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import requests

from ..bridges import EACH
from ..example import parameters
from ..example_world import ALIVE, DEAD, World, served
from ..ours import connection


@pytest.fixture(scope="module", params=EACH)
def world(request, django_db_setup, django_db_blocker, tmp_path_factory):
    bridge = request.param
    with served(django_db_blocker, tmp_path_factory, workers=2, bridge=bridge) as seeded:
        yield World(seeded)


def pairs(number):
    """How many; SQLite lets one write at a time, so there is less to see."""
    return range(number if connection.vendor == "postgresql" else 5)


STEP, STEPS = 0.002, 12
"""The second one starts so many steps later: it meets each part of the first."""


def at_once(refresh, act, late=0):
    """Their results; where it is below 0, the refresh is the late one."""

    def after(steps, function):
        time.sleep(max(steps, 0) * STEP)
        return function()

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(after, -late, refresh), pool.submit(after, late, act)]
        return [future.result() for future in both]


def refreshing(world, tokens):
    def act():
        status, answer = world.client.refresh(tokens["refresh_token"])
        assert (status, answer.get("error")) in [(200, None), (400, "invalid_grant")], answer
        return answer if status == 200 else None

    return act


def revoking(world, tokens):
    headers = {"Authorization": f"Bearer {world.api_token}"}
    url = f"{world.base}/api/1/grants/{tokens['grant_id']}/revoke"

    def act():
        answer = requests.post(url, json={}, headers=headers, timeout=60)
        assert answer.status_code == 200, answer.text

    return act


def replacing(world, tokens):
    """By the store."""
    headers = {"Authorization": f"Bearer {world.api_token}"}
    url = f"{world.base}/api/1/grants/{tokens['grant_id']}/replace"
    members = {"scopes": [{"scope": "write"}]}

    def act():
        answer = requests.post(url, json=members, headers=headers, timeout=60)
        assert answer.status_code == 200, answer.text

    return act


def consenting(world, tokens):
    """The page is open already; the act is to press Allow."""
    asked = {"grant_management_action": "replace", "grant_id": tokens["grant_id"]}
    submit = world.client.opened(world.ann, "write", **asked)

    def act():
        assert "code" in parameters(submit())

    return act


def giving_up(world, tokens):
    def act():
        assert world.client.revoke(tokens["refresh_token"]) == 200

    return act


def all_are_dead(world, tokens):
    assert world.access(tokens) == DEAD
    assert not world.is_known(tokens["refresh_token"])
    assert world.refusal(tokens) == "invalid_grant"


@pytest.mark.parametrize(
    ("stopping", "number"), [(replacing, 15), (consenting, 10), (revoking, 15), (giving_up, 10)]
)
def test_a_refresh_beside(world, stopping, number, request):
    """With --slow four times as often."""
    slow = request.config.getoption("--slow")
    pair_of = partial(a_pair, world, stopping)
    met = [pair_of(n % STEPS - 2) for n in pairs(4 * number if slow else number)]
    # Where the refresh came too late each time, nothing was seen yet: it gets a longer start.
    assert any(met) or any(pair_of(2**power) for power in range(4, 12))


def a_pair(world, stopping, late):
    """Whether the refresh was acknowledged too."""
    tokens = world.tokens()
    refreshed, _ = at_once(refreshing(world, tokens), stopping(world, tokens), late)
    for each in [tokens, *([refreshed] if refreshed else [])]:
        assert not world.is_known(each["access_token"])
        assert not world.is_known(each["refresh_token"])
        if late == -2:
            all_are_dead(world, each)
    return refreshed is not None


def test_two_refreshes_at_once(world):
    """Nobody can tell the thief from the client: one is refused, and what the other got is dead."""
    for _ in pairs(15):
        tokens = world.tokens()
        before = len(world.events())
        answers = at_once(refreshing(world, tokens), refreshing(world, tokens))
        (refreshed,) = [answer for answer in answers if answer is not None]
        assert not world.is_known(refreshed["refresh_token"])
        assert world.refusal(refreshed) == "invalid_grant"
        assert [event[0] for event in world.events()[before:]] == ["refresh_reused"]


@pytest.mark.parametrize("grant", [True, False])
def test_a_refresh_beside_the_hosts_own_revoke(world, grant):
    """Whichever comes first: no failure, and both sides agree."""
    for _ in pairs(15):
        tokens = world.tokens() if grant else world.client.authorize(world.ann, world.all)
        code = f"{world.theirs}end_refresh({tokens['refresh_token']!r})"
        refreshed, _ = at_once(refreshing(world, tokens), lambda: world.run(code))
        if "access" in world.bridge.row_takes:
            assert world.access(tokens) | {"gm": 401} == DEAD
        if refreshed is not None:
            alive = world.is_known(refreshed["access_token"])
            assert world.is_active(refreshed["access_token"]) == alive
            assert world.is_known(refreshed["refresh_token"]) == alive


# Changes the grant, and ends its transaction once somebody waits for it.
CHANGE = """
import time
from django.db import connection
from grant_management.db import primary
from grant_management.lifecycle import begin, complete
from grant_management.models import Actor, Grant, Reason, Service
from grant_management.protocol.content import Content

def waits():
    if connection.vendor != "postgresql":
        time.sleep(0.5)
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone()[0]

with primary.atomic():
    grant = Grant.objects.known(Service.objects.get(), "{0}")
    if "{1}" == "revoke":
        grant.revoke(Actor.command("test"), Reason("other"))
    else:
        complete(begin(grant.client, grant.subject, "{1}", "{0}"), Content())
    open({2!r}, "w").close()
    for _ in range(500):
        if waits():
            break
        time.sleep(0.01)
    else:
        raise AssertionError("nobody waits")
"""


@pytest.mark.parametrize("change", ["merge", "replace", "revoke"])
def test_a_refresh_that_waits(world, change, tmp_path):
    """It was judged before the change, and is judged again after it."""
    tokens, changed = world.tokens(), tmp_path / "changed"

    def refresh():
        while not changed.exists():
            time.sleep(0.01)
        return world.client.refresh(tokens["refresh_token"])

    code = CHANGE.format(tokens["grant_id"], change, str(changed))
    (status, answer), _ = at_once(refresh, lambda: world.run(code))
    assert (status, answer.get("error")) == (400, "invalid_grant")
    assert world.access(tokens) == (ALIVE if change == "merge" else DEAD)
    assert not world.is_known(tokens["refresh_token"])
    assert world.run(LEFT.format(tokens["grant_id"])) == [1, 1]


LEFT = """
from grant_management.models import AccessToken, RefreshToken
result = [m.objects.filter(grant__grant_id="{}").count() for m in (AccessToken, RefreshToken)]
"""
