"""Server and deliverer are killed at any moment: every event arrives, in the order of its grant."""

import contextlib
import json
import os
import random
import signal
import threading
import time

import pytest
from cryptography.fernet import Fernet
from standardwebhooks.webhooks import Webhook as Verifier

from ..gm_project.test_processes import database_url, postgresql  # noqa: F401 - fixtures
from ..receiver import NETWORKS, receiving
from ..standalone import (
    API_TOKEN,
    SERVER,
    children,
    free_port,
    manage,
    post,
    running,
    runs,
    seed,
    serving,
    until,
    wait_for,
)

ROUNDS, THREADS = 3, 2
PAUSE = 0.3
"""Seconds between two grants of a thread: all that happens is delivered again and again."""
REGISTER = """
from grant_management.models import Actor, Service, Webhook
print(Webhook.objects.register(
    Service.objects.get(), Actor.command("test"), signature="v1", url={url!r}
)[1])
"""
LEFT = """
from grant_management.models import OutboxEntry, WebhookDelivery
print(OutboxEntry.objects.waiting().count() + WebhookDelivery.objects.filter(due_at__isnull=False).count())
"""
TOLD = """
import json
from grant_management.models import GrantEvent, WebhookDelivery
kinds = {str(one.pk): one.kind for one in GrantEvent.objects.all()}
rows = WebhookDelivery.objects.order_by("number")
print(json.dumps([[str(one.event), one.grant_id, one.state] for one in rows]))
print(json.dumps([[str(one.pk), one.grant_id, one.kind] for one in GrantEvent.objects.all()]))
"""
EXPIRE = """
from datetime import timedelta
from django.db.models import F
from grant_management.models import Stream, StreamDelivery, Webhook, WebhookDelivery
for model in (StreamDelivery, WebhookDelivery):
    model.objects.exclude(claimed_until=None).update(claimed_until=F("claimed_until") - timedelta(minutes=5))
for model in (Stream, Webhook):  # one of them probed a receiver
    model.objects.update(paused_until=None)
"""


def shell(env, text):
    return manage("shell", "-v", "0", "-c", text, **env)


@pytest.fixture
def env(database_url, tmp_path):  # noqa: F811 - it is that fixture
    """Of a server whose webhooks go to a receiver that fails now and then."""
    seed(database_url, tmp_path)
    with receiving(tmp_path) as receiver:
        settings = {
            "ENCRYPTION_KEYS": [Fernet.generate_key().decode()],
            "WEBHOOK_NETWORKS": NETWORKS,
            "WEBHOOK_RETRIES": [1] * 50,
        }
        env = {
            "DATABASE_URL": database_url,
            "GRANT_MANAGEMENT": json.dumps(settings),
            "SSL_CERT_FILE": str(receiver.pem),
        }
        yield env, receiver


class Moody(list):
    """Answers without end: most are 204."""

    def __init__(self):
        self.random = random.Random(7)

    def pop(self, _index):
        drawn = self.random.random()
        if drawn < 0.1:
            return 503
        return hang_up if drawn < 0.13 else slow

    def __bool__(self):
        return True


def hang_up(handler):
    """The event came in, and the answer is lost."""
    handler.connection.close()


def slow(handler):
    """So that a kill meets something on its way."""
    time.sleep(0.02)
    with contextlib.suppress(OSError):
        handler.send_response(204)
        handler.end_headers()


def live(port, acknowledged, stop):
    """Create grants, merge them, revoke them, until told to stop or the server is gone."""
    with contextlib.suppress(OSError, ValueError, EOFError):
        while not stop.is_set():
            new = {"clientIdentifier": "app-1", "subject": "u", "scopes": [{"scope": "a"}]}
            status, grant = post(port, "/api/1001/grants", API_TOKEN, new | {"active": True})
            if status != 200:
                continue
            path = f"/api/1001/grants/{grant['grantId']}"
            acknowledged.append((grant["grantId"], "created"))
            for scope in ("b", "c"):
                body = {"scopes": [{"scope": scope}]}
                if post(port, f"{path}/merge", API_TOKEN, body)[0] == 200:
                    acknowledged.append((grant["grantId"], "merged"))
            if post(port, f"{path}/revoke", API_TOKEN, {})[0] == 200:
                acknowledged.append((grant["grantId"], "revoked"))
            time.sleep(PAUSE)


def kill(process):
    """It and what it started, without a word."""
    every = [*children(process.pid), process.pid]
    for pid in every:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait(timeout=20)
    until(lambda: not any(map(runs, every)), "the end of the processes")


def first_arrivals(came):
    return list(dict.fromkeys(headers["webhook-id"] for headers, _body in came))


def storm(env, acknowledged):
    """Grants live, while server and deliverer are killed again and again."""
    luck = random.Random(11)
    for _ in range(ROUNDS):
        port, stop = free_port(), threading.Event()
        with (
            running(*SERVER, "127.0.0.1", port, 2, **env) as server,
            running("manage.py", "deliver_events", **env) as deliverer,
        ):
            wait_for(port)
            callers = [
                threading.Thread(target=live, args=(port, acknowledged, stop))
                for _ in range(THREADS)
            ]
            for one in callers:
                one.start()
            time.sleep(3 + 2 * luck.random())
            victims = [server, deliverer]
            luck.shuffle(victims)
            for one in victims:
                kill(one)
                time.sleep(luck.random() / 2)
            stop.set()
            for one in callers:
                one.join(timeout=40)
        shell(env, EXPIRE)  # whoever had claimed something is dead


def test_killed_at_any_moment(env):
    env, receiver = env
    secret = shell(env, REGISTER.format(url=receiver.url)).strip()
    receiver.answers, acknowledged = Moody(), []
    storm(env, acknowledged)
    workers = [running("manage.py", "deliver_events", **env) for _ in range(2)]
    with workers[0], workers[1]:
        until(lambda: shell(env, LEFT).strip() == "0", "the deliveries")
    told, happened = map(json.loads, shell(env, TOLD).strip().splitlines())
    happened = [one for one in happened if one[2] != "imported"]  # before there was a webhook
    arrived = first_arrivals(receiver.came)
    assert {one[0] for one in happened} == set(arrived)
    assert {one[2] for one in told} == {"delivered"}
    assert set(map(tuple, acknowledged)) <= {(one[1], one[2]) for one in happened}
    assert len(acknowledged) > 20
    place = {event: at for at, event in enumerate(arrived)}
    kinds = {one[0]: one[2] for one in happened}
    for grant in {one[1] for one in told if one[1]}:
        of = [event for event, grant_id, _state in told if grant_id == grant]
        assert sorted(of, key=place.get) == of
        lived = [kinds[event] for event in of]
        life = iter(["created", "merged", "merged", "revoked"])  # a call may have been refused
        assert all(one in life for one in lived)
    for headers, body in receiver.came[:20]:
        Verifier(secret).verify(body.decode(), headers)


def test_a_server_delivers_by_itself(env):
    env, receiver = env
    shell(env, REGISTER.format(url=receiver.url))
    with serving(env["DATABASE_URL"], 2, **{k: v for k, v in env.items() if k != "DATABASE_URL"}):
        manage("lock_client", "--service", 1001, "--client", "app-1", **env)
        until(lambda: len(receiver.came) >= 2, "the webhook")
    types = [json.loads(body)["type"] for _headers, body in receiver.came]
    assert types == ["webhook.created", "client.locked"]


def test_a_server_whose_deliveries_are_off(env):
    env, receiver = env
    shell(env, REGISTER.format(url=receiver.url))
    off = {k: v for k, v in env.items() if k != "DATABASE_URL"} | {"DELIVER_EVENTS": "off"}
    with serving(env["DATABASE_URL"], 1, **off):
        time.sleep(7)
        assert receiver.came == []
    manage("deliver_events", "--once", **env)
    assert len(receiver.came) == 1
