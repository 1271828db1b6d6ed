"""What is counted, by which labels, and that nothing is where it is off."""

import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import DatabaseError, OperationalError
from django.test import Client as HTTP

from grant_management import observation
from grant_management.db.failures import settle
from grant_management.db.ids import uuid7
from grant_management.db.retry import RETRIES, retried
from grant_management.events.delivering import attempt, attempt_push
from grant_management.metrics import figures, labels
from grant_management.metrics.exposition import exposition
from grant_management.models import (
    ApiToken,
    GrantEvent,
    OutboxEntry,
    PurgeRun,
    Stream,
    StreamDelivery,
    UsedProof,
    Webhook,
    WebhookDelivery,
)
from grant_management.protocol.digests import sha256
from grant_management.protocol.results import Result

from ..standalone import ROOT, environment
from ..world import BY_TEST, ENDPOINT, Key, now

WITHOUT = """
import sys, django
django.setup()
from django.core.handlers.wsgi import WSGIHandler
WSGIHandler()
import grant_management.urls, grant_management.events.delivering
print(sorted({name.partition(".")[0] for name in sys.modules} & {"prometheus_client", "opentelemetry"}))
"""


def test_where_it_is_off_nothing_is_loaded():
    line = [sys.executable, "-c", WITHOUT]
    env = environment(DJANGO_SETTINGS_MODULE="gm_project.settings")
    assert subprocess.check_output(line, cwd=ROOT, env=env, text=True) == "[]\n"


def test_where_it_is_off_nobody_observes():
    assert observation.observer is None


def test_decisions(counted, world, call, post):
    grant, service = world.grant(), str(world.service.pk)
    members = {"grantId": grant.grant_id, "accessToken": world.token(grant)}
    actions = ("QUERY", "QUERY", "REVOKE", "QUERY", "x" * 50)
    codes = [call(gmAction=action, **members).code for action in actions]
    post("/api/1/gm", {}, api_token="unknown")
    post(f"/api/{service}/grants/check", {}, api_token=world.api_token)

    def decisions(action, code, of=service):
        return counted("decisions_total", action=action, code=code, service=of)

    assert decisions("QUERY", Result.QUERIED.code) == 2
    assert decisions("REVOKE", Result.REVOKED.code) == 1
    assert decisions("QUERY", codes[3]) == 1
    assert decisions("gm", Result.GM_ACTION_UNKNOWN.code) == 1
    assert decisions("gm", Result.API_TOKEN_INVALID.code, of="") == 1
    assert decisions("grants.check", Result.STORE_CLIENT_UNKNOWN.code) == 1
    assert counted("request_seconds_count", door="gm") == 6
    assert counted("request_seconds_sum", door="gm") > 0


def test_a_page_is_not_counted(counted, world):
    HTTP().get("/admin/login/")
    assert counted("request_seconds_count", door="") == 0


def test_refused_replays(counted, world, call):
    grant, key = world.grant(), Key()
    token = world.token(grant, jkt=key.jkt)
    proof = key.proof(token, htu=f"{ENDPOINT}/{grant.grant_id}")
    for _ in range(3):
        call(gmAction="QUERY", grantId=grant.grant_id, accessToken=token, dpop=proof)
    assert counted("replays_refused_total", service=str(world.service.pk)) == 2


def test_locks(counted, world, call):
    grant = world.grant()
    members = {"grantId": grant.grant_id, "accessToken": world.token(grant)}
    call(gmAction="QUERY", **members)
    assert counted("lock_seconds_count") == 0
    call(gmAction="REVOKE", **members)
    assert counted("lock_seconds_count") == 1


def test_failures_of_the_database(counted):
    locked = OperationalError()
    locked.sqlstate = "55P03"
    settle(locked)
    settle(OperationalError())
    settle(ValueError())
    assert counted("database_errors_total", kind="locked") == 1
    assert counted("database_errors_total", kind="away") == 1
    assert counted("database_errors_total", kind="bug") == 0


@pytest.mark.django_db(transaction=True)
def test_retries(counted):
    conflict = DatabaseError()
    conflict.sqlstate = "40001"

    @retried
    def operation():
        raise conflict

    with pytest.raises(DatabaseError):
        operation()
    assert counted("retries_total") == RETRIES


def test_attempts(counted, world):
    webhook = Webhook(service=world.service, url="https://receiver.example.com/", created_at=now())
    webhook.save(force_insert=True)
    delivery = WebhookDelivery(
        webhook=webhook, event=GrantEvent().pk, type="x", number=1, created_at=now(), due_at=now()
    )
    delivery.save(force_insert=True)
    attempt(delivery)
    assert counted("delivery_attempts_total", to="webhook", outcome="no_event") == 1
    assert counted("deliveries_given_up_total", to="webhook") == 1


def test_attempts_to_push(counted, world):
    token = ApiToken.objects.get(digest=sha256(world.api_token))
    stream = Stream(service=world.service, api_token=token, method="push", created_at=now())
    stream.save(force_insert=True)
    delivery = StreamDelivery(
        stream=stream, event=GrantEvent().pk, type="x", number=1, created_at=now(), due_at=now()
    )
    delivery.save(force_insert=True)
    attempt_push(delivery)
    assert counted("delivery_attempts_total", to="stream", outcome="no_event") == 1
    assert counted("delivery_attempts_total", to="webhook", outcome="no_event") == 0
    assert counted("deliveries_given_up_total", to="stream") == 1


def test_only_the_first_services_have_a_label(counted, monkeypatch):
    monkeypatch.setattr(labels, "MOST", 2)
    assert [labels.service_label(one) for one in ("7", "", "8", "9", "7", "9")] == [
        "7",
        "",
        "8",
        "other",
        "7",
        "other",
    ]


def test_processes_agree_on_the_label(counted, monkeypatch, tmp_path):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    monkeypatch.setattr(labels, "MOST", 2)
    assert [labels.service_label(one) for one in ("7", "8")] == ["7", "8"]
    labels._known.clear()  # as in another process
    assert [labels.service_label(one) for one in ("9", "8")] == ["other", "8"]


@pytest.fixture
def gauges(db):
    def read():
        return {
            (sample.name.removeprefix("grant_management_"), *sample.labels.values()): sample.value
            for metric in figures.DatabaseFigures().collect()
            for sample in metric.samples
        }

    return read


def test_figures_of_an_empty_world(gauges, world):
    found = gauges()
    assert found["database_up",] == 1
    assert found["purge_last_timestamp_seconds",] == 0
    assert found["purge_backlog", "usedproof"] == 0
    assert found["outbox_age_seconds",] == 0
    assert found["delivery_overdue_seconds", "webhook"] == 0


def test_figures(gauges, world, monkeypatch):
    old = now() - timedelta(days=2)
    for number in range(3):
        UsedProof.objects.create(service=world.service, digest=bytes([number]), expires_at=old)
    PurgeRun.objects.record(old, 17, thorough=False)
    event = GrantEvent.objects.record("revoked", world.service.pk, old, BY_TEST)
    OutboxEntry.objects.create(service=world.service, event=event.pk)
    webhook = Webhook(service=world.service, url="https://receiver.example.com/", created_at=now())
    webhook.save(force_insert=True)
    due = {"type": "x", "number": 1, "created_at": old, "due_at": old}
    WebhookDelivery.objects.create(webhook=webhook, event=event.pk, **due)
    found = gauges()
    assert found["purge_backlog", "usedproof"] == 3
    assert found["purge_last_deleted",] == 17
    assert found["purge_last_timestamp_seconds",] > now().timestamp() - 60
    assert abs(found["outbox_age_seconds",] - 2 * 86_400) < 60
    assert abs(found["delivery_overdue_seconds", "webhook"] - 2 * 86_400) < 60
    monkeypatch.setattr(figures, "MOST", 2)
    assert gauges()["purge_backlog", "usedproof"] == 2


def test_a_receiver_that_hangs_is_late(gauges, world):
    """What waits behind a receiver that is paused, or behind an earlier event, is overdue too."""
    old = now() - timedelta(hours=1)
    paused = {"failures": 9, "paused_until": now() + timedelta(minutes=1)}
    webhook = Webhook(service=world.service, url="https://r.example.com/", created_at=old, **paused)
    webhook.save(force_insert=True)
    due = {"webhook": webhook, "type": "x", "grant_id": "g", "created_at": old}
    later = now() + timedelta(hours=1)
    for number, at in ((1, later), (2, old)):
        event = GrantEvent().pk
        WebhookDelivery.objects.create(event=event, number=number, due_at=at, **due)
    assert not WebhookDelivery.objects.due(now()).exists()
    assert abs(gauges()["delivery_overdue_seconds", "webhook"] - 3_600) < 60
    Webhook.objects.update(disabled_at=now())
    assert gauges()["delivery_overdue_seconds", "webhook"] == 0
    assert gauges()["receivers_disabled", "webhook"] == 1


def test_dead_letters(gauges, world, monkeypatch):
    webhook = Webhook(service=world.service, url="https://r.example.com/", created_at=now())
    webhook.save(force_insert=True)
    ended = {"webhook": webhook, "type": "x", "created_at": now(), "due_at": None}
    for number in range(4):
        moment = {"delivered_at" if number == 3 else "dead_at": now()}
        key = uuid7(now() + timedelta(milliseconds=number))  # those of one moment have no order
        WebhookDelivery.objects.create(id=key, event=key, number=number, **ended, **moment)
    assert gauges()["deliveries_dead", "webhook"] == 3
    assert gauges()["deliveries_dead", "stream"] == 0
    monkeypatch.setattr(figures, "MOST", 2)
    assert gauges()["deliveries_dead", "webhook"] == 1


def test_a_database_that_is_away(gauges, monkeypatch):
    def fail():
        raise OperationalError

    monkeypatch.setattr(figures, "_purge", fail)
    assert gauges() == {("database_up",): 0}


def test_no_credential_is_in_the_answer(counted, world, call):
    grant = world.grant()
    token = world.token(grant)
    call(gmAction=token, grantId=token, accessToken=token)
    call(gmAction="QUERY", grantId=grant.grant_id, accessToken=token)
    said = exposition().decode()
    assert "grant_management_decisions_total" in said
    for secret in (token, world.api_token, grant.grant_id):
        assert secret not in said
