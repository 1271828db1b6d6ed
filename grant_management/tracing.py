"""Spans of a call, its steps and its statements, for a tracer: none, until there is one.

Without a tracer each place costs a test of None.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

Carrier = Mapping[str, str]
"""A trace context (W3C): `traceparent`, and `tracestate` if there is one; {}: there is none."""
MEMBERS: Final = ("traceparent", "tracestate")


class Tracer(Protocol):
    """What makes spans. No argument is a credential or a value of a statement."""

    def request(self, request: Any) -> AbstractContextManager[Any]:
        """A span for a call. `answered` of what it yields takes an `api.answered.Answered`."""

    def step(self, name: str) -> AbstractContextManager[None]:
        """A span for a step of a call."""

    def statement(self, vendor: str, sql: str) -> AbstractContextManager[None]:
        """A span for a statement. `sql` has placeholders in the place of values; "": unknown."""

    def sending(self, host: str, port: int, parent: Carrier) -> AbstractContextManager[Any]:
        """A span for a webhook or a SET. `headers` of what it yields are to be sent with it;
        `answered` takes the status. `parent` is the trace context of its event.
        """

    def parent(self) -> Carrier:
        """The trace context of the span in hand; {}: there is none."""


tracer: Tracer | None = None
_wrappers: list[Any] = []


def trace_by(one: Tracer | None) -> None:
    """Trace by this one from now on; None: by nobody."""
    global tracer
    tracer = one


def carried(details: Mapping[str, Any]) -> Carrier:
    """The trace context that an event was recorded with, among its details."""
    return {name: details[name] for name in MEMBERS if name in details}


def wrap(connection: Any) -> None:
    """Trace what goes through Django's cursors of a connection."""
    if not _wrappers:
        _wrappers.append(_traced)
    if _traced not in connection.execute_wrappers:
        connection.execute_wrappers.append(_traced)


def is_alone(wrappers: list[Any]) -> bool:
    """Whether the wrapper of `wrap` is the only one, so that statements may pass it by."""
    return wrappers == _wrappers


def _traced(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
    if tracer is None:
        return execute(sql, params, many, context)
    # What is no text was composed by the driver, and may have values in it.
    text = sql if isinstance(sql, str) else ""
    with tracer.statement(context["connection"].vendor, text):
        return execute(sql, params, many, context)
