"""A real server and a receiver that hangs, redirects, fails, is gone and comes back."""

import contextlib
import json
import re
import socket
import threading
import urllib.request
from collections import Counter
from contextlib import closing

import pytest

pytest.importorskip("prometheus_client", reason="it is not installed")

from ..gm_project.test_processes import database_url, postgresql  # noqa: F401 - fixtures
from ..standalone import API_TOKEN, free_port, manage, post, serving, until
from .test_kills import env, shell  # noqa: F401 - `env` is a fixture

SWITCH_ON = """
from grant_management.models import ApiToken
ApiToken.objects.update(can_manage_webhooks=True)
"""
LOG = """
import json
from grant_management.models import WebhookAttempt
print(json.dumps([
    [one.delivery.type, one.outcome, one.status] for one in WebhookAttempt.objects.order_by("at", "pk")
]))
"""


class Moods:
    """What the receiver does with each attempt of an event, by the order of the attempts."""

    def __init__(self, *answers):
        self.left = list(answers)

    def pop(self, _index):
        return self.left.pop(0) if self.left else 204

    def __bool__(self):
        return True


def asked(port, path, members):
    status, answer = post(port, f"/api/1001/webhooks{path}", API_TOKEN, members)
    assert status == 200, answer
    return answer


def counted(port):
    """The attempts that the server's port for Prometheus tells, by outcome."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    found = re.findall(
        r'grant_management_delivery_attempts_total\{outcome="(\w+)",to="webhook"\} (\S+)', text
    )
    return {outcome: int(float(number)) for outcome, number in found if float(number)}


EXPECTED = [
    ("timed_out", None),
    ("redirected", 302),
    ("refused", 503),
    ("gone", 410),
    ("delivered", 204),
    ("delivered", 204),
]


def note_connections(listening, came):
    with contextlib.suppress(OSError):
        while True:
            connection, address = listening.accept()
            came.append(address)
            connection.close()


def test_a_server_meets_every_receiver(env):  # noqa: F811 - it is that fixture
    """One that hangs, sends elsewhere, fails and is gone; then it is enabled, and gets it again."""
    env, receiver = env
    shell(env, SWITCH_ON)
    elsewhere, target, metrics, over = (
        [],
        socket.create_server(("127.0.0.1", 0)),
        free_port(),
        threading.Event(),
    )
    threading.Thread(target=note_connections, args=(target, elsewhere), daemon=True).start()

    def hang(handler):
        over.wait(60)

    def send_away(handler):
        handler.send_response(302)
        handler.send_header("Location", f"https://127.0.0.1:{target.getsockname()[1]}/private")
        handler.end_headers()

    more = {k: v for k, v in env.items() if k != "DATABASE_URL"} | {"METRICS_PORT": str(metrics)}
    with closing(target), serving(env["DATABASE_URL"], 1, **more) as port:
        members = {"url": receiver.url, "eventTypes": ["client.locked"]}
        webhook = asked(port, "", members)["webhookId"]
        receiver.answers = Moods(hang, send_away, 503, 410)
        manage("lock_client", "--service", 1001, "--client", "app-1", **env)
        until(lambda: len(receiver.came) == 4, "the attempts")
        until(lambda: not asked(port, f"/{webhook}/get", {})["enabled"], "the end of the webhook")
        over.set()
        assert {headers["webhook-id"] for headers, _body in receiver.came} == {receiver.ids()[0]}
        asked(port, f"/{webhook}/update", {"enabled": True})
        until(lambda: len(receiver.came) == 5, "its delivery")
        until(lambda: counted(metrics).get("delivered") == 1, "its count")
        assert asked(port, f"/{webhook}/replay", {"eventId": receiver.ids()[0]})["count"] == 1
        until(lambda: counted(metrics).get("delivered") == 2, "its replay")
        told = counted(metrics)
    log = [["client.locked", outcome, status] for outcome, status in EXPECTED]
    assert json.loads(shell(env, LOG)) == log
    assert told == Counter(outcome for outcome, _status in EXPECTED)
    assert set(receiver.ids()) == {receiver.ids()[0]}
    assert elsewhere == []
