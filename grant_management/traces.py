"""Spans for OpenTelemetry, by its semantic conventions. It is imported only where `TRACES` is True.

A span has no path, query, header, body, address or value of a statement, and no text of an error:
each may hold a credential. The SDK, with its exporter and sampler, is the host's to configure.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from django.db import connections
from django.db.backends.signals import connection_created
from django.http import HttpRequest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from . import __version__, request_id, tracing
from .api.answered import Answered
from .db.failures import sqlstate
from .protocol.results import Refused
from .request_log import METHODS

_propagator: Final = TraceContextTextMapPropagator()
_tracer: Final = trace.get_tracer("grant_management", __version__)
_PLAIN: Final[Any] = {"record_exception": False, "set_status_on_exception": False}
"""An error's text may quote a value: only its class is told."""
LONGEST_STATE: Final = 512
"""Characters of a `tracestate` that is kept with an event."""


def start() -> None:
    """Make spans from now on."""
    tracing.trace_by(Spans())
    connection_created.connect(_wrap)
    for connection in connections.all(initialized_only=True):
        tracing.wrap(connection)


def stop() -> None:
    """Make none any more."""
    tracing.trace_by(None)
    connection_created.disconnect(_wrap)


class Spans:
    """The tracer (`tracing.Tracer`)."""

    @contextmanager
    def request(self, request: HttpRequest) -> Iterator["Served"]:
        """A span of the server; its parent is that of the caller's `traceparent`."""
        method = request.method if request.method in METHODS else "_OTHER"
        attributes = {"http.request.method": str(method), "url.scheme": request.scheme or ""}
        with _tracer.start_as_current_span(
            str(method), _sent_by(request.META), SpanKind.SERVER, attributes, **_PLAIN
        ) as span:
            span.set_attribute("grant_management.request_id", request_id.current())
            yield Served(span, str(method), request)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A span of a step, with the result code where it refuses; none in a call whose span is not
        recorded.
        """
        if not _is_recorded():
            yield
            return
        with _tracer.start_as_current_span(name, **_PLAIN) as span:
            try:
                yield
            except Refused as refusal:
                span.set_attribute("grant_management.code", refusal.result.code)
                raise
            except Exception as error:
                _fail(span, type(error).__qualname__)
                raise

    @contextmanager
    def statement(self, vendor: str, sql: str) -> Iterator[None]:
        """A span of a statement inside a recorded span; elsewhere, as in the purge, there is none.

        `sql` "": it is not known to be without values.
        """
        if not _is_recorded():
            yield
            return
        operation = sql.lstrip(" (").partition(" ")[0].upper()
        attributes = {"db.system.name": vendor, "db.operation.name": operation}
        attributes |= {"db.query.text": sql} if sql else {}
        with _tracer.start_as_current_span(
            operation or vendor, kind=SpanKind.CLIENT, attributes=attributes, **_PLAIN
        ) as span:
            try:
                yield
            except Exception as error:
                _fail(span, type(error).__qualname__)
                if state := sqlstate(error):
                    span.set_attribute("db.response.status_code", state)
                raise

    @contextmanager
    def sending(self, host: str, port: int, parent: tracing.Carrier) -> Iterator["Sent"]:
        """A span of a webhook or a SET, in the trace of the request that its event comes from."""
        attributes: dict[str, str | int] = {
            "http.request.method": "POST",
            "server.address": host,
            "server.port": port,
        }
        context = _propagator.extract(parent, Context())
        with _tracer.start_as_current_span(
            "POST", context, SpanKind.CLIENT, attributes, **_PLAIN
        ) as span:
            headers: dict[str, str] = {}
            _propagator.inject(headers)
            sent = Sent(span, headers)
            try:
                yield sent
            except Exception as error:
                _fail(span, str(getattr(error, "outcome", "")) or type(error).__qualname__)
                raise

    def parent(self) -> tracing.Carrier:
        """The context of the span in hand; {}: there is none.

        A caller may send a long `tracestate`: no more of it is kept than has to be passed on (W3C
        Trace Context §3.3.1.5).
        """
        headers: dict[str, str] = {}
        _propagator.inject(headers)
        if len(headers.get("tracestate", "")) > LONGEST_STATE:
            del headers["tracestate"]
        return headers


class Served:
    """The span of a request, until it is answered."""

    def __init__(self, span: Span, method: str, request: HttpRequest) -> None:
        self._span, self._method, self._request = span, method, request

    def answered(self, told: Answered) -> None:
        """Say what the answer is."""
        self._span.set_attribute("http.response.status_code", told.status)
        if told.status >= 500:
            _fail(self._span, str(told.status))
        self._span.update_name(f"{self._method} {told.door}")
        if match := self._request.resolver_match:  # a pattern: it has no value of the path
            self._span.set_attribute("http.route", match.route)
        said = {
            "door": told.door,
            "action": told.action,
            "code": told.code,
            "service": told.service,
            "token_id": told.token_id,
        }
        for name, value in said.items():
            if value:
                self._span.set_attribute(f"grant_management.{name}", value)


class Sent:
    """The span of a webhook, and the headers that tell its receiver of it."""

    def __init__(self, span: Span, headers: dict[str, str]) -> None:
        self._span, self.headers = span, headers

    def answered(self, status: int) -> None:
        """Say what the receiver answered."""
        self._span.set_attribute("http.response.status_code", status)
        if status >= 400:
            _fail(self._span, str(status))


def _is_in_a_span() -> bool:
    return trace.get_current_span().get_span_context().is_valid


def _is_recorded() -> bool:
    """Whether the sampler took the span in hand. Those below it would share its fate."""
    return trace.get_current_span().is_recording()


def _fail(span: Span, kind: str) -> None:
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR))


def _sent_by(meta: Mapping[str, Any]) -> Context | None:
    """The caller's trace context (W3C Trace Context); an empty one where it sent none.

    None: the host has made a span of its own, which is the parent then.
    """
    if _is_in_a_span():
        return None
    names = {"traceparent": "HTTP_TRACEPARENT", "tracestate": "HTTP_TRACESTATE"}
    carrier = {name: meta[key] for name, key in names.items() if key in meta}
    return _propagator.extract(carrier, Context())


def _wrap(*, connection: Any, **_signal: Any) -> None:
    tracing.wrap(connection)
