"""The bridge to django-oauth-toolkit: a refresh beside whatever stops it, in two processes.

Where both were acknowledged, nothing of before is alive.
"""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from django.db import connection

from .example import parameters
from .example_world import ALL, DEAD, THEIRS, World, served


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, tmp_path_factory):
    with served(django_db_blocker, tmp_path_factory, workers=2) as seeded:
        yield World(seeded)


@pytest.fixture(scope="module")
def pairs():
    """How many; SQLite lets one write at a time."""
    return 50 if connection.vendor == "postgresql" else 10


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


@pytest.mark.parametrize("stopping", [replacing, consenting, revoking, giving_up])
def test_a_refresh_beside(world, pairs, stopping):
    both = 0
    for number in range(pairs):
        tokens = world.tokens()
        stop = stopping(world, tokens)
        refreshed, _ = at_once(refreshing(world, tokens), stop, number % STEPS - 2)
        all_are_dead(world, tokens)
        if refreshed is not None:
            both += 1
            all_are_dead(world, refreshed)
    assert both  # else nothing was seen


def test_two_refreshes_at_once(world, pairs):
    """Nobody can tell the thief from the client: one is refused, and what the other got is dead."""
    for _ in range(pairs):
        tokens = world.tokens()
        before = len(world.events())
        answers = at_once(refreshing(world, tokens), refreshing(world, tokens))
        (refreshed,) = [answer for answer in answers if answer is not None]
        assert not world.is_known(refreshed["refresh_token"])
        assert world.refusal(refreshed) == "invalid_grant"
        assert [event[0] for event in world.events()[before:]] == ["refresh_reused"]


@pytest.mark.parametrize("grant", [True, False])
def test_a_refresh_beside_the_hosts_own_revoke(world, pairs, grant):
    """Whichever comes first: no failure, and both sides agree."""
    for _ in range(pairs):
        tokens = world.tokens() if grant else world.client.authorize(world.ann, ALL)
        code = f"{THEIRS}refresh({tokens['refresh_token']!r}).revoke()"
        refreshed, _ = at_once(refreshing(world, tokens), lambda: world.run(code))
        assert world.access(tokens) | {"gm": 401} == DEAD
        if refreshed is not None:
            alive = world.is_known(refreshed["access_token"])
            assert world.is_active(refreshed["access_token"]) == alive
            assert world.is_known(refreshed["refresh_token"]) == alive
