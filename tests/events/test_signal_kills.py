"""Shared Signals where server and deliverer are killed at any moment: pushed and polled."""

import http.client
import json
import random
import time
from contextlib import closing
from urllib.parse import urlsplit

from grant_management.protocol.shared_signals import SUPPORTED

from ..gm_project.test_processes import database_url, postgresql  # noqa: F401 - fixtures
from ..ssf_receiver import PUSH, SSFReceiver
from ..standalone import API_TOKEN, running, serving, until
from .test_kills import env, hang_up, shell, storm  # noqa: F401 - `env` is a fixture

ISSUER = "https://as.example.com/1001"
ALLOW = """
from grant_management.models import ApiToken
ApiToken.objects.update(can_manage_streams=True)
"""
LEFT = """
from grant_management.models import OutboxEntry, StreamDelivery
pushed = StreamDelivery.objects.filter(due_at__isnull=False, stream__method="push")
print(OutboxEntry.objects.waiting().count() + pushed.count())
"""
HAPPENED = """
import json
from grant_management.models import GrantEvent, OutboxEntry
from grant_management.protocol.shared_signals import types_of
numbers = {one.event: one.number for one in OutboxEntry.objects.all()}
events = [one for one in GrantEvent.objects.all() if one.pk in numbers]
events.sort(key=lambda one: numbers[one.pk])
print(json.dumps([
    [str(one.pk), one.grant_id, list(types_of(one.payload(), keeps_access_tokens=False))]
    for one in events
]))
"""


class Reachable:
    """The transmitter at its issuer's address, which is a port of this machine."""

    port = 0

    def __call__(self, method, url, headers, body):
        parts = urlsplit(url)
        assert f"{parts.scheme}://{parts.netloc}" == "https://as.example.com"
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as made:
            made.request(method, path, body, headers)
            answer = made.getresponse()
            return answer.status, answer.headers, answer.read()


class Moods(list):
    """Answers without end: most take the SET."""

    def __init__(self, receiver):
        self.receiver, self.random = receiver, random.Random(7)

    def pop(self, _index):
        drawn = self.random.random()
        if drawn < 0.1:
            return 503
        return self.lose if drawn < 0.13 else self.take

    def __bool__(self):
        return True

    def take(self, handler):
        time.sleep(0.02)  # so that a kill meets something on its way
        self.receiver.pushed(handler)

    def lose(self, handler):
        """The SET came in, and the answer is lost."""
        self.receiver.take(handler.body.decode())
        hang_up(handler)


def server_of(env):  # noqa: F811 - what the fixture gives
    return serving(env["DATABASE_URL"], 1, **{k: v for k, v in env.items() if k != "DATABASE_URL"})


def in_order(claims, happened):
    """Whether a receiver got the events of each grant in the order in which they happened."""
    first = list(dict.fromkeys(one["txn"] for one in claims))
    place = {event: at for at, event in enumerate(first)}
    for grant in {grant for _event, grant, _types in happened if grant}:
        of = [event for event, about, types in happened if about == grant and types]
        if sorted(of, key=place.__getitem__) != of:
            return False
    return True


def test_killed_at_any_moment(env):  # noqa: F811 - it is that fixture
    env, endpoint = env
    shell(env, ALLOW)
    reach = Reachable()
    pushed, polled = (SSFReceiver(ISSUER, API_TOKEN, reach) for _ in range(2))
    with server_of(env) as reach.port:
        for one in (pushed, polled):
            one.discover()
        to = {"method": PUSH, "endpoint_url": endpoint.url}
        pushed.create(delivery=to, events_requested=list(SUPPORTED))
        stream = polled.create(events_requested=list(SUPPORTED))
        pushed.fetch_keys()
        polled.fetch_keys()
    endpoint.answers, acknowledged = Moods(pushed), []
    storm(env, acknowledged)
    with running("manage.py", "deliver_events", **env):
        until(lambda: shell(env, LEFT).strip() == "0", "the deliveries")
    with server_of(env) as reach.port:
        polled.drain(stream)
    happened = json.loads(shell(env, HAPPENED))
    expected = {(event, kind) for event, _grant, types in happened for kind in types}
    assert len(expected) > 20
    assert len(acknowledged) > 20
    for one in (pushed, polled):
        claims = list(one.seen.values())
        got = {(claim["txn"], kind) for claim in claims for kind in claim["events"]}
        assert got == expected
        assert in_order(claims, happened)
    made = {(grant, kind.rpartition("/")[2]) for _event, grant, types in happened for kind in types}
    told = {"created": "grant-created", "merged": "grant-merged", "revoked": "session-revoked"}
    assert {(grant, told[what]) for grant, what in acknowledged} <= made
