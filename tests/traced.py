"""`--traced`: every test makes spans, and each span is searched for what the test held secret."""

import base64
import contextlib
import json
import re
import secrets
from unittest.mock import patch

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from grant_management import traces
from grant_management.conf import Settings

from . import world

EXPORTER = InMemorySpanExporter()
_provider = TracerProvider()
_provider.add_span_processor(SimpleSpanProcessor(EXPORTER))
trace.set_tracer_provider(_provider)
_SHAPES = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.|BEGIN CERTIFICATE|(?:Bearer|DPoP) [A-Za-z0-9]", re.I)
"""What a JWT, a certificate and an Authorization header look like."""


untraced = pytest.mark.skipif("config.getoption('--traced')", reason="seen without --traced")


@contextlib.contextmanager
def tracing():
    """Calls make spans, which `EXPORTER` has."""
    setting = vars(Settings)["traces"]
    EXPORTER.clear()
    with patch.object(setting, "default", True):
        traces.start()
        try:
            yield
        finally:
            traces.stop()


@contextlib.contextmanager
def searched():
    """No span has a token, a proof or any other value that was drawn meanwhile."""
    drawn = set()

    def remember(make):
        def made(*args, **kwargs):
            value = make(*args, **kwargs)
            drawn.update([value] if isinstance(value, str) else _written(value))
            return value

        return made

    with (
        tracing(),
        patch.object(secrets, "token_urlsafe", remember(secrets.token_urlsafe)),
        patch.object(secrets, "token_bytes", remember(secrets.token_bytes)),
        patch.object(world.Key, "sign", remember(world.Key.sign)),
    ):
        yield
        said = text_of_spans()
    found = {value for value in drawn if len(value) > 15 and value in said}
    assert not found, "a span has a value that was drawn"
    assert not _SHAPES.search(said), _SHAPES.search(said)


def _written(drawn):
    """Bytes as text, such as the key of a webhook."""
    return {drawn.hex(), base64.b64encode(drawn).decode(), base64.urlsafe_b64encode(drawn).decode()}


def text_of_spans():
    """All that the spans say: names, attributes, events, status, links and state."""
    return "\n".join(
        json.dumps(json.loads(span.to_json()), ensure_ascii=False)
        for span in EXPORTER.get_finished_spans()
    )
