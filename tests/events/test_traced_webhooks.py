"""A webhook goes on with the trace of the request that its event comes from."""

import pytest
from django.test import Client as HTTP

pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed")

from opentelemetry.trace import SpanKind, StatusCode

from grant_management.events.delivering import deliver_next
from grant_management.models import Webhook
from grant_management.protocol.shared_signals import SESSION_REVOKED

from ..test_traces import TRACE, TRACEPARENT
from ..traced import EXPORTER, searched, text_of_spans, untraced
from .test_shared_signals import push, signals  # noqa: F401 - fixtures


def deliver():
    while deliver_next():
        pass


@pytest.mark.parametrize(("answer", "status"), [(204, StatusCode.UNSET), (500, StatusCode.ERROR)])
def test_the_span_of_a_webhook(world, listen, receiver, call, answer, status):
    listen()
    deliver()
    receiver.came.clear()
    receiver.answers.append(answer)
    grant = world.grant()
    with searched():
        call(gmAction="REVOKE", grantId=grant.grant_id, accessToken=world.token(grant))
        deliver()
        spans = EXPORTER.get_finished_spans()
        said = text_of_spans()
    (perform,) = [one for one in spans if one.name == "perform"]
    (post,) = [one for one in spans if one.kind is SpanKind.CLIENT and one.name == "POST"]
    assert post.parent.span_id == perform.context.span_id
    assert post.context.trace_id == perform.context.trace_id
    assert (post.status.status_code, post.attributes["http.response.status_code"]) == (
        status,
        answer,
    )
    ((headers, _body),) = receiver.came
    assert headers["traceparent"].split("-")[1:3] == [
        f"{post.context.trace_id:032x}",
        f"{post.context.span_id:016x}",
    ]
    assert Webhook.objects.get().url not in said
    assert "/hook" not in said


def revoke(world, **headers):
    grant = world.grant()
    sent = {"Authorization": f"Bearer {world.token(grant)}"} | headers
    assert (
        HTTP().delete(f"/gm/{world.service.pk}/{grant.grant_id}", headers=sent).status_code == 204
    )


@pytest.mark.parametrize(("state", "told"), [("vendor=1", "vendor=1"), ("a=" + "x" * 600, None)])
def test_the_state_of_a_trace_goes_on(world, listen, receiver, state, told):
    listen()
    with searched():
        revoke(world, traceparent=TRACEPARENT, tracestate=state)
        deliver()
    headers, _body = receiver.came[-1]
    assert headers["traceparent"].split("-")[1] == TRACE
    assert headers.get("tracestate") == told


def test_a_set_goes_on_with_the_trace(world, signals, push, receiver):  # noqa: F811 - fixtures
    push(SESSION_REVOKED)
    deliver()
    with searched():
        revoke(world, traceparent=TRACEPARENT, tracestate="vendor=1")
        deliver()
        sent = [one for one in EXPORTER.get_finished_spans() if one.name == "POST"]
    about = [headers for headers, _body in receiver.came if headers.get("tracestate")]
    assert {one["traceparent"].split("-")[1] for one in about} == {TRACE}
    assert {one["tracestate"] for one in about} == {"vendor=1"}
    ids = {f"{one.context.span_id:016x}" for one in sent}
    assert len(about) == 1
    assert {one["traceparent"].split("-")[2] for one in about} <= ids


@untraced
def test_without_a_tracer_it_has_no_such_header(world, listen, receiver, call):
    listen()
    grant = world.grant()
    call(gmAction="REVOKE", grantId=grant.grant_id, accessToken=world.token(grant))
    deliver()
    assert all("traceparent" not in headers for headers, _body in receiver.came)
