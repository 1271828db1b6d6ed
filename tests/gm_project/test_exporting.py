"""Spans of a real server, as a collector gets them by OTLP."""

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="it is not installed")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ..standalone import API_TOKEN, PATH, QUERY, post, seed, serving

pytestmark = pytest.mark.usefixtures("once")


@contextlib.contextmanager
def collector():
    """A collector of this machine: its address, and the spans that came."""
    came = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came.append((self.path, body))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", came
        server.shutdown()


def spans_of(body):
    sent = ExportTraceServiceRequest.FromString(body)
    for resource in sent.resource_spans:
        (service,) = [
            one.value.string_value
            for one in resource.resource.attributes
            if one.key == "service.name"
        ]
        for scope in resource.scope_spans:
            yield from ((service, span.name) for span in scope.spans)


def test_a_collector_gets_the_spans(tmp_path):
    """Also those that were not sent yet when the server ended."""
    url = f"sqlite:///{tmp_path / 'own.sqlite3'}"
    seed(url, tmp_path)
    env = {"OTEL_BSP_SCHEDULE_DELAY": "600000", "OTEL_EXPORTER_OTLP_COMPRESSION": "none"}
    with collector() as (address, came):
        with serving(url, 2, OTEL_EXPORTER_OTLP_ENDPOINT=address, **env) as port:
            for _ in range(5):
                assert post(port, PATH, API_TOKEN, QUERY)[0] == 200
        assert {path for path, _body in came} == {"/v1/traces"}
        found = [one for _path, body in came for one in spans_of(body)]
    assert found.count(("grant-management", "POST gm")) == 5
    assert found.count(("grant-management", "find_grant")) == 5
    assert API_TOKEN.encode() not in b"".join(body for _path, body in came)
