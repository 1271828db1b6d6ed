"""Sends the spans of a worker to a collector, by the variables of OpenTelemetry itself.

`OTEL_EXPORTER_OTLP_ENDPOINT` says where; `OTEL_TRACES_SAMPLER` which, `OTEL_SERVICE_NAME` by whom.
"""

import os
from multiprocessing.util import Finalize


def start() -> None:
    """Send from now on, in a thread of this process; what is left when it ends is sent then."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    service = os.environ.get("OTEL_SERVICE_NAME") or "grant-management"
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    Finalize(None, provider.shutdown, exitpriority=10)  # no `atexit` in a worker
