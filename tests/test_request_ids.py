"""The ID of a request: in its answer, in calls, events and webhooks; and the line of a call."""

import json
import logging
import re
import sys

import pytest
from django.test import Client as HTTP
from django.test import override_settings

from grant_management import call_lines, request_id
from grant_management.models import ApiToken, Call, GrantEvent
from grant_management.protocol.results import Result
from grant_management.request_log import WithoutPaths

from .world import BY_TEST, Key, now

SAFE = "req-1.A_b"


def send(world, path, members, sent=SAFE, **headers):
    return HTTP().post(
        path.format(world.service.pk),
        json.dumps(members),
        "application/json",
        HTTP_AUTHORIZATION=f"Bearer {world.api_token}",
        HTTP_X_REQUEST_ID=sent,
        **headers,
    )


def revoke(world, sent=SAFE):
    grant = world.grant()
    members = {
        "gmAction": "REVOKE",
        "grantId": grant.grant_id,
        "accessToken": world.token(grant),
    }
    return send(world, "/api/{}/auth/gm", members, sent)


@pytest.mark.parametrize("sent", ["a", "A" * 128, SAFE])
def test_a_safe_one_is_taken_over(world, sent):
    assert revoke(world, sent)["X-Request-ID"] == sent


@pytest.mark.parametrize(
    "sent", ["", "A" * 129, "a b", "a\tb", "a\n", "ä", "a,b", "a=b", '"', "<b>", "\x00", "a/b"]
)
def test_any_other_is_replaced(world, sent):
    assert re.fullmatch("[0-9a-f]{32}", revoke(world, sent)["X-Request-ID"])
    (event,) = GrantEvent.objects.all()
    assert re.fullmatch("[0-9a-f]{32}", event.details["request_id"])


def test_each_request_has_one_of_its_own(world):
    assert revoke(world, "")["X-Request-ID"] != revoke(world, "")["X-Request-ID"]
    assert request_id.current() == ""


@pytest.mark.parametrize(
    "path", ["/api/{}/auth/gm", "/api/{}/nothing", "/gm/{}/x", "/admin/login/", "/nothing"]
)
def test_every_answer_has_it(world, path):
    """Refusals and pages too."""
    assert HTTP().get(path.format(world.service.pk), HTTP_X_REQUEST_ID=SAFE)["X-Request-ID"] == SAFE


def test_so_has_the_answer_to_a_failure_of_the_host(world):
    answer = HTTP().get("/api/1/gm", HTTP_X_REQUEST_ID=SAFE, HTTP_HOST="other.example.com")
    assert (answer.status_code, answer["X-Request-ID"]) == (400, SAFE)


def test_the_call_the_event_and_the_webhook_have_it(world):
    world.service.call_log_size = 10
    world.service.save()
    revoke(world)
    assert Call.objects.get().request_id == SAFE
    event = GrantEvent.objects.get()
    assert event.details["request_id"] == SAFE
    assert json.loads(event.payload().as_json())["data"]["requestId"] == SAFE


def test_an_event_of_no_request_has_none(world):
    event = GrantEvent.objects.record("revoked", world.service.pk, now(), BY_TEST)
    assert event.details == {}
    assert "requestId" not in json.loads(event.payload().as_json())["data"]


@pytest.fixture
def lines(caplog):
    """The lines of calls, as members."""
    caplog.set_level(logging.INFO, "grant_management.calls")

    def read():
        found = [one for one in caplog.records if one.name == "grant_management.calls"]
        return [json.loads(call_lines.JSONLine().format(one)) for one in found]

    return read


def test_the_line_of_a_call(world, lines):
    revoke(world)
    (line,) = lines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line.pop("ms") > 0
    assert line == {
        "level": "INFO",
        "logger": "grant_management.calls",
        "door": "gm",
        "action": "REVOKE",
        "service": str(world.service.pk),
        "tokenId": str(ApiToken.objects.get().pk),
        "status": 200,
        "code": Result.REVOKED.code,
    }


def test_the_line_of_a_refusal(world, lines):
    send(world, "/api/{}/grants/check", {})
    HTTP().post("/api/1/gm", HTTP_AUTHORIZATION="Bearer unknown")
    HTTP().get(f"/gm/{world.service.pk}/x")
    first, second, third = lines()
    assert (first["door"], first["code"], first["status"]) == ("grants.check", "A291202", 400)
    assert first["service"] == str(world.service.pk)
    assert "service" not in second
    assert "tokenId" not in second
    assert (third["door"], third["action"], third["status"]) == ("draft", "QUERY", 401)


def test_a_page_has_no_line(world, lines):
    HTTP().get("/admin/login/")
    HTTP().get("/nothing")
    assert lines() == []


def test_no_credential_is_in_a_line(world, lines):
    key, grant = Key(), world.grant()
    token = world.token(grant, jkt=key.jkt)
    proof = key.proof(token)
    for action in ("QUERY", token):
        members = {"gmAction": action, "grantId": token, "accessToken": token, "dpop": proof}
        send(world, "/api/{}/auth/gm", members)
    send(world, f"/api/{{}}/grants/{token}/get", {})
    said = json.dumps(lines())
    assert said.count("tokenId") == 3
    for secret in (token, proof, world.api_token, grant.grant_id):
        assert secret not in said


def test_a_plain_line():
    record = logging.makeLogRecord({"name": "x", "levelname": "ERROR", "msg": "one\n  frame"})
    line = call_lines.Line("{levelname} {name}: {message}", style="{")
    assert line.format(record) == "ERROR x: one\n  frame"
    with request_id.of_request(SAFE):
        assert line.format(record) == f"ERROR x: one request={SAFE}\n  frame"


@pytest.mark.parametrize("line", [call_lines.Line(), call_lines.JSONLine()])
def test_an_error_has_its_class_and_frames_alone(line):
    try:
        raise ValueError("a value")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 1, "it failed", (), sys.exc_info())
    said = line.format(record)
    assert "ValueError" in said
    assert f"{__file__}:" in said
    assert "a value" not in said


@pytest.mark.parametrize("path", ["/api/{}/nothing", "/nothing"])
def test_the_line_of_django_about_a_refusal_has_it(world, caplog, path):
    """Django writes it after all middleware."""
    HTTP().get(path.format(world.service.pk), HTTP_X_REQUEST_ID=SAFE)
    (record,) = [one for one in caplog.records if one.name == "django.request"]
    WithoutPaths().filter(record)
    assert call_lines.Line().format(record).endswith(f": 404 request={SAFE}")
    assert json.loads(call_lines.JSONLine().format(record))["requestId"] == SAFE


def test_a_json_line_is_one_line():
    record = logging.makeLogRecord({"name": "x", "levelname": "ERROR", "msg": "one\n  frame"})
    with request_id.of_request(SAFE):
        line = call_lines.JSONLine().format(record)
    assert "\n" not in line
    said = json.loads(line)
    assert (said["message"], said["requestId"]) == ("one\n  frame", SAFE)


def test_without_the_middleware_there_is_none(world):
    from django.conf import settings

    with override_settings(MIDDLEWARE=settings.MIDDLEWARE[1:]):
        assert "X-Request-ID" not in revoke(world)
    assert GrantEvent.objects.get().details == {}
