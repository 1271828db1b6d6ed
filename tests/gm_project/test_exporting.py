"""Spans of a real server, as a collector gets them by OTLP."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="it is not installed")

from cryptography.fernet import Fernet
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ..receiver import NETWORKS, receiving
from ..standalone import API_TOKEN, PATH, QUERY, manage, post, seed, serving, until, write_records
from ..world import Key

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


REGISTER = """
from grant_management.models import Actor, ApiToken, Service, Webhook
ApiToken.objects.update(can_manage_webhooks=True)
print(Webhook.objects.register(
    Service.objects.get(), Actor.command("test"), signature="v1", url={url!r}
)[1])
"""
BOUND = "token-that-is-bound"
HTU = "https://as.example.com/gm/g-1"


def test_no_span_of_a_real_server_has_a_credential(tmp_path):
    """A QUERY and a REVOKE with a proof, refused ones, and the webhook of the revoke."""
    url, key, encryption_key = f"sqlite:///{tmp_path / 'own.sqlite3'}", Key(), Fernet.generate_key()
    seed(url, tmp_path)
    token = {"type": "access_token", "service": 1001, "client_id": "app-1", "grant_id": "g-1"}
    scopes = ["grant_management_query", "grant_management_revoke"]
    write_records(
        url, tmp_path, [token | {"token": BOUND, "cnf": {"jkt": key.jkt}, "scopes": scopes}]
    )
    with receiving(tmp_path) as receiver, collector() as (address, came):
        settings = {"ENCRYPTION_KEYS": [encryption_key.decode()], "WEBHOOK_NETWORKS": NETWORKS}
        env = {"GRANT_MANAGEMENT": json.dumps(settings), "SSL_CERT_FILE": str(receiver.pem)}
        text = REGISTER.format(url=receiver.url)
        secret = manage("shell", "-v", "0", "-c", text, DATABASE_URL=url, **env).strip()
        env |= {"OTEL_EXPORTER_OTLP_ENDPOINT": address, "OTEL_EXPORTER_OTLP_COMPRESSION": "none"}
        proofs = [key.proof(BOUND, htu=HTU, htm=htm) for htm in ("GET", "GET", "DELETE")]
        members = QUERY | {"accessToken": BOUND, "htu": HTU}
        with serving(url, 1, **env) as port:
            sent = [members | {"dpop": one, "htm": "GET"} for one in proofs[:2]]
            sent[1]["accessToken"] = "token-of-nobody"
            sent += [members | {"dpop": proofs[2], "htm": "DELETE", "gmAction": "REVOKE"}]
            sent += [sent[2]]  # a proof that was used
            said = [post(port, PATH, API_TOKEN, one)[1]["action"] for one in sent]
            post(port, PATH, "api-token-of-nobody", QUERY)
            until(lambda: len(receiver.came) >= 2, "the webhook")
        found = [name for _path, body in came for _service, name in spans_of(body)]
        everything = b"".join(body for _path, body in came)
    assert said == ["OK", "UNAUTHORIZED", "NO_CONTENT", "UNAUTHORIZED"]
    assert {"burn_proof", "perform", "POST"} <= set(found)
    signatures = [headers["webhook-signature"] for headers, _body in receiver.came]
    values = [API_TOKEN, "api-token-of-nobody", BOUND, "token-of-nobody", *proofs, secret]
    values += [encryption_key.decode(), key.jkt, "/hook", *signatures]
    values += [part for proof in proofs for part in proof.split(".")]
    for one in values:
        assert one.encode() not in everything, one
