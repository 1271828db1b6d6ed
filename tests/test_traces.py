"""Spans: of a call, of its steps and its statements, and of webhooks; where their trace comes from."""

import pytest
from django.db import OperationalError
from django.test import Client as HTTP

pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed")

from opentelemetry import trace
from opentelemetry.sdk.trace.sampling import Decision, StaticSampler
from opentelemetry.trace import SpanKind, StatusCode

from grant_management import traces, tracing
from grant_management.db.statement import Statement
from grant_management.endpoint import flow
from grant_management.models import GrantEvent
from grant_management.protocol.results import Result

from .ours import connection
from .traced import EXPORTER, searched, text_of_spans, untraced
from .world import ENDPOINT, Key

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


@pytest.fixture
def spans(db):
    """The spans that have ended, by name in the order of their start."""
    with searched():
        yield lambda: sorted(EXPORTER.get_finished_spans(), key=lambda span: span.start_time)


@pytest.fixture
def query(world, call):
    grant, key = world.grant(), Key()
    token = world.token(grant, jkt=key.jkt)
    members = {"gmAction": "QUERY", "grantId": grant.grant_id, "accessToken": token}

    def send(**more):
        proof = key.proof(token, htu=f"{ENDPOINT}/{grant.grant_id}")
        return call(**members | {"dpop": proof} | more)

    return send


def named(spans, name):
    (found,) = [one for one in spans() if one.name == name]
    return found


def test_the_span_of_a_call(world, spans, query):
    EXPORTER.clear()
    assert query().action == "OK"
    root = spans()[0]
    assert (root.name, root.kind, root.parent) == ("POST gm", SpanKind.SERVER, None)
    said = dict(root.attributes)
    assert len(said.pop("grant_management.request_id")) == 32
    assert len(said.pop("grant_management.token_id")) == 36
    assert said.pop("http.route").endswith(r"/(?:auth/)?gm\Z")
    assert said == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "url.scheme": "http",
        "grant_management.door": "gm",
        "grant_management.action": "QUERY",
        "grant_management.code": Result.QUERIED.code,
        "grant_management.service": str(world.service.pk),
    }
    assert root.status.status_code is StatusCode.UNSET


def test_a_span_for_each_step(spans, query):
    EXPORTER.clear()
    query()
    steps = [step.run.__name__ for step in flow.STEPS if step.binding != "x5t_s256"]
    found = spans()
    assert [one.name for one in found if one.name in steps] == steps
    root = found[0].context.span_id
    assert {one.parent.span_id for one in found if one.name in steps} == {root}


def test_the_statements_of_the_hot_path(spans, query):
    EXPORTER.clear()
    query()
    made = [one for one in spans() if one.kind is SpanKind.CLIENT]
    assert [one.attributes["db.operation.name"] for one in made][:2] == ["SELECT", "INSERT"]
    select, insert = made[:2]
    assert "grant_management_apitoken" in select.attributes["db.query.text"]
    assert "%s" in select.attributes["db.query.text"]
    assert "grant_management_usedproof" in insert.attributes["db.query.text"]
    assert insert.parent.span_id == named(spans, "burn_proof").context.span_id
    assert {one.attributes["db.system.name"] for one in made} == {connection.vendor}


def test_tracing_changes_no_statement(spans, query, monkeypatch):
    """They still go past Django's cursor, and are made once."""
    ran = []
    monkeypatch.setattr(
        Statement,
        "_execute",
        lambda self, *args, _own=Statement._execute: ran.append(self.sql) or _own(self, *args),
    )
    EXPORTER.clear()
    query()
    made = [one for one in spans() if one.attributes.get("db.query.text") in ran]
    assert len(made) == len(ran) >= 2


def test_a_call_that_is_not_sampled_has_one_span_and_costs_no_others(spans, query, monkeypatch):
    made = []

    class Sampler(StaticSampler):
        def should_sample(self, *args, **kwargs):
            made.append(args[2])
            return super().should_sample(*args, **kwargs)

    monkeypatch.setattr(traces._tracer._tracer, "sampler", Sampler(Decision.DROP))
    EXPORTER.clear()
    assert query().action == "OK"
    assert (made, spans()) == (["POST"], [])


def test_a_refusal_is_no_error(spans, query):
    EXPORTER.clear()
    query(dpop="x")
    step = named(spans, "verify_proof")
    assert step.attributes["grant_management.code"] == Result.PROOF_INVALID.code
    assert not step.events
    assert {one.status.status_code for one in spans()} == {StatusCode.UNSET}


def test_a_failure_is_one_without_its_text(spans, query, monkeypatch):
    def fail(*args):
        raise OperationalError("values of a request")

    monkeypatch.setattr(Statement, "_execute", fail)
    EXPORTER.clear()
    query()
    failed = [one for one in spans() if one.status.status_code is StatusCode.ERROR]
    assert {one.attributes["error.type"] for one in failed} == {"OperationalError", "500"}
    assert "values of a request" not in text_of_spans()


def send(world, **headers):
    return HTTP().get(f"/gm/{world.service.pk}/x", **headers)


def test_the_trace_of_the_caller_goes_on(world, spans):
    send(world, HTTP_TRACEPARENT=TRACEPARENT, HTTP_TRACESTATE="vendor=1")
    root = named(spans, "GET draft")
    assert f"{root.context.trace_id:032x}" == TRACE
    assert f"{root.parent.span_id:016x}" == PARENT
    assert root.context.trace_state.get("vendor") == "1"


@pytest.mark.parametrize("sent", ["", "x", TRACEPARENT.replace("00-", "ff-"), TRACEPARENT * 9])
def test_what_is_no_trace_context_is_ignored(world, spans, sent):
    send(world, HTTP_TRACEPARENT=sent)
    root = named(spans, "GET draft")
    assert root.parent is None
    assert f"{root.context.trace_id:032x}" != TRACE


def test_a_page_has_no_span(spans):
    HTTP().get("/admin/login/")
    assert spans() == []


def test_an_event_says_which_trace_it_is_from(world, spans, call):
    grant = world.grant()
    members = {"grantId": grant.grant_id, "accessToken": world.token(grant)}
    call(gmAction="REVOKE", **members)
    step = named(spans, "perform")
    said = GrantEvent.objects.get().details["traceparent"]
    assert said.startswith(f"00-{step.context.trace_id:032x}-{step.context.span_id:016x}-")


@untraced
def test_without_a_tracer_an_event_says_nothing(world, call):
    grant = world.grant()
    call(gmAction="REVOKE", grantId=grant.grant_id, accessToken=world.token(grant))
    assert "traceparent" not in GrantEvent.objects.get().details


@untraced
def test_every_span_is_searched(world):
    """The search itself: it finds what a span should not have."""

    def step(name):
        with searched():
            _step_of(name)

    with pytest.raises(AssertionError, match="BEGIN CERTIFICATE"):
        step("-----BEGIN CERTIFICATE-----")
    assert '"-----BEGIN' in text_of_spans()
    with pytest.raises(AssertionError, match="was drawn"), searched():
        _step_of(world.token())


def _step_of(name):
    with trace.get_tracer("test").start_as_current_span("call"), tracing.tracer.step(name):
        pass
