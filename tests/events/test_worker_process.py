"""`deliver_events` as a process of its own: what it tells of itself, and what it survives."""

import json
import re

import pytest
import requests

pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="it is not installed")
pytest.importorskip("prometheus_client", reason="it is not installed")

from ..gm_project.test_exporting import collector, spans_of
from ..gm_project.test_processes import database_url, postgresql  # noqa: F401 - fixtures
from ..standalone import (
    API_TOKEN,
    PATH,
    QUERY,
    free_port,
    manage,
    running,
    runs,
    serving,
    until,
)
from .test_kills import LEFT, REGISTER, env, shell  # noqa: F401 - `env` is a fixture

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01", "tracestate": "vendor=1"}
DELIVERED = 'grant_management_delivery_attempts_total{outcome="delivered",to="webhook"}'


def said_at(port, series):
    """The number of a series at a port for Prometheus."""
    text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=30).text
    found = re.search(re.escape(series) + r" (\S+)", text)
    return float(found[1]) if found else None


def revoke(port):
    body = QUERY | {"gmAction": "REVOKE"}
    headers = {"Authorization": f"Bearer {API_TOKEN}"} | CALLER
    url = f"http://127.0.0.1:{port}{PATH}"
    assert requests.post(url, json=body, headers=headers, timeout=30).status_code == 200


def beside(env, **more):  # noqa: F811 - what the fixture gives
    return {k: v for k, v in env.items() if k != "DATABASE_URL"} | {"DELIVER_EVENTS": "off"} | more


def test_it_goes_on_with_the_trace_and_counts(env):  # noqa: F811 - it is that fixture
    """Its own port for Prometheus shows what it counts."""
    env, receiver = env
    shell(env, REGISTER.format(url=receiver.url))
    metrics = free_port()
    with collector() as (address, came):
        watched = {"OTEL_EXPORTER_OTLP_ENDPOINT": address, "METRICS_PORT": str(free_port())}
        watched["OTEL_BSP_SCHEDULE_DELAY"] = "600000"  # the end of the process sends them
        watched["OTEL_EXPORTER_OTLP_COMPRESSION"] = "none"
        with serving(env["DATABASE_URL"], **beside(env, **watched)) as port:
            revoke(port)
        came.clear()
        line = ("manage.py", "deliver_events", "--metrics-port", metrics)
        with running(*line, **env | watched) as process:
            until(lambda: len(receiver.came) == 2, "the events of the webhook and of the revoke")
            until(lambda: said_at(metrics, DELIVERED) == 2, "the count")
            process.terminate()
            process.wait(30)
        sent = [one for _path, body in came for one in spans_of(body)]
    assert sent.count(("grant-management", "POST")) == 2
    headers, body = receiver.came[1]
    assert json.loads(body)["type"] == "grant.revoked"
    assert headers["traceparent"].split("-")[1] == TRACE
    assert headers["tracestate"] == "vendor=1"


def test_its_attempts_are_seen_at_the_port_of_the_server(env, tmp_path):  # noqa: F811
    """Where both count in one folder."""
    env, receiver = env
    shell(env, REGISTER.format(url=receiver.url))
    folder, metrics = tmp_path / "metrics", free_port()
    folder.mkdir()
    watched = {"METRICS_PORT": str(metrics), "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    with serving(env["DATABASE_URL"], **beside(env, **watched)):
        manage("deliver_events", "--once", **env | watched)
        assert len(receiver.came) == 1
        assert said_at(metrics, DELIVERED) == 1


def test_its_port_needs_metrics(env):  # noqa: F811 - it is that fixture
    env, _receiver = env
    with running("manage.py", "deliver_events", "--metrics-port", 9465, **env) as process:
        assert process.wait(30) == 1
        assert "METRICS" in process.stderr.read()


def test_a_moment_without_the_database(postgresql, env, tmp_path):  # noqa: F811 - fixtures
    """Both commands that run for ever go on, and leave one line in the log."""
    env, receiver = env
    shell(env, REGISTER.format(url=receiver.url))
    said = tmp_path / "said"
    follow = ("manage.py", "export_events", "--service", 1001, "--follow")
    with (
        said.open("w") as stdout,
        running("manage.py", "deliver_events", **env) as deliverer,
        running(*follow, stdout=stdout, **env) as exporter,
    ):
        until(lambda: len(receiver.came) == 1, "the first event")
        until(lambda: said.read_text().count("\n") == 1, "its line")
        postgresql.stop()
        for one in (deliverer, exporter):
            line = one.stderr.readline()
            assert "failed: [A277102] OperationalError" in line
        postgresql.start()
        manage("lock_client", "--service", 1001, "--client", "app-1", **env)
        until(lambda: len(receiver.came) == 2, "the next event")
        until(lambda: said.read_text().count("\n") == 2, "the next line")
        assert all(runs(one.pid) for one in (deliverer, exporter))
    assert shell(env, LEFT).strip() == "0"
    assert len({json.loads(one)["cursor"] for one in said.read_text().splitlines()}) == 2
