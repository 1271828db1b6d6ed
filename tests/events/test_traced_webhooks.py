"""A webhook goes on with the trace of the request that its event comes from."""

import pytest

pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed")

from opentelemetry.trace import SpanKind, StatusCode

from grant_management.events.delivering import deliver_next
from grant_management.models import Webhook

from ..traced import EXPORTER, searched, text_of_spans, untraced


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


@untraced
def test_without_a_tracer_it_has_no_such_header(world, listen, receiver, call):
    listen()
    grant = world.grant()
    call(gmAction="REVOKE", grantId=grant.grant_id, accessToken=world.token(grant))
    deliver()
    assert all("traceparent" not in headers for headers, _body in receiver.came)
