"""Each query of the dashboard and of the alert rules, run by Debian's Prometheus on a real server."""

import json
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing
from urllib.parse import urlencode

import pytest
import requests
import yaml

from grant_management.protocol.results import Result

from ..standalone import (
    API_TOKEN,
    PATH,
    QUERY,
    ROOT,
    free_port,
    post,
    until,
    wait_for,
    write_records,
)
from ..world import Key
from .test_processes import serving

PROMETHEUS, PROMTOOL = shutil.which("prometheus"), shutil.which("promtool")
pytestmark = [
    pytest.mark.usefixtures("once"),
    pytest.mark.skipif(not (PROMETHEUS and PROMTOOL), reason="Prometheus is not installed"),
]
RULES = ROOT / "deploy/grant-management.rules.yml"
BOARD = json.loads((ROOT / "deploy/grafana-dashboard.json").read_text())
ALERTS = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
PANELS = [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]
PROOFS = "grant_management_usedproof"
NAME = re.compile(r"\bgrant_management_[a-z_]+")


BOUND = {
    "type": "access_token",
    "service": 1001,
    "client_id": "app-1",
    "grant_id": "g-1",
    "token": "t-bound",
    "scopes": ["grant_management_query"],
}
FIGURES = {
    "decisions by action, code and service": (
        'grant_management_decisions_total{action="QUERY",code="A277001",service="1001"} > 0'
    ),
    "latency by door": 'grant_management_request_seconds_bucket{door="gm",le="+Inf"} > 0',
    "refused replays": 'grant_management_replays_refused_total{service="1001"} == 1',
    "database errors by kind": 'grant_management_database_errors_total{kind!=""} > 0',
    "lock waits": "grant_management_lock_seconds_count > 0",
    "retries": "grant_management_retries_total == 0",
    "purge backlog": 'grant_management_purge_backlog{table="accesstoken"} == 0',
    "last run of the purge": "grant_management_purge_last_timestamp_seconds == 0",
    "outbox age": "grant_management_outbox_age_seconds == 0",
    "webhook attempts": 'grant_management_delivery_attempts_total{to="webhook",outcome="gone"} == 0',
    "workers": "grant_management_workers == 2",
}
"""What an operator wants to see, and the series of it that a server has after the calls below."""


def act(port, url, key):
    """Calls that make every series of a counter appear."""
    post(port, PATH, API_TOKEN, QUERY)
    proof = key.proof("t-bound", htu="https://as.example.com/gm/g-1")
    for _ in range(2):
        post(port, PATH, API_TOKEN, QUERY | {"accessToken": "t-bound", "dpop": proof})
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
        database.execute(f"ALTER TABLE {PROOFS} RENAME TO elsewhere")
        again = key.proof("t-bound", htu="https://as.example.com/gm/g-1")
        post(port, PATH, API_TOKEN, QUERY | {"accessToken": "t-bound", "dpop": again})
        database.execute(f"ALTER TABLE elsewhere RENAME TO {PROOFS}")
    post(port, PATH, API_TOKEN, QUERY | {"gmAction": "REVOKE"})


@pytest.fixture
def ask(url, tmp_path):
    """A Prometheus that has scraped a server with some calls; ask it for a query's series."""
    key = Key()
    write_records(url, tmp_path, [BOUND | {"cnf": {"jkt": key.jkt}}])
    with serving(url, PURGE_EVERY_MINUTES="0") as (_process, port, metrics):
        act(port, url, key)
        listening = free_port()
        line = [PROMETHEUS, f"--config.file={_configuration(tmp_path, metrics)}"]
        line += [
            f"--storage.tsdb.path={tmp_path}/data",
            f"--web.listen-address=127.0.0.1:{listening}",
        ]
        with subprocess.Popen(line, stderr=subprocess.DEVNULL) as prometheus:
            try:
                wait_for(listening)
                until(lambda: _is_ready(listening), "Prometheus")  # it listens before
                yield lambda query: _asked(listening, query)
            finally:
                prometheus.terminate()


def _is_ready(port):
    return requests.get(f"http://127.0.0.1:{port}/-/ready", timeout=30).ok


def _configuration(folder, metrics):
    """That of deploy/, for the port of this test and more often."""
    made = yaml.safe_load((ROOT / "deploy/prometheus.yml").read_text())
    (job,) = made["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["127.0.0.1:9464"]}]
    job |= {"static_configs": [{"targets": [f"127.0.0.1:{metrics}"]}], "scrape_interval": "1s"}
    made["global"] = {"evaluation_interval": "1s"}
    (folder / RULES.name).write_text(RULES.read_text())
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(made))
    return path


def _asked(port, query):
    asked = requests.get(
        f"http://127.0.0.1:{port}/api/v1/query?{urlencode({'query': query})}", timeout=30
    ).json()
    assert asked["status"] == "success", (query, asked)
    return asked["data"]["result"]


def test_every_query(ask):
    until(lambda: ask("grant_management_database_up"), "a first scrape")
    queries = [rule["expr"] for rule in ALERTS]
    queries += [panel.replace("$__rate_interval", "1m") for panel in PANELS]
    for query in queries:
        ask(query)
    # A name that is misspelt would answer with nothing, and no error.
    for name in {name for query in queries for name in NAME.findall(query)}:
        assert ask(name), name
    for figure, query in FIGURES.items():
        assert ask(query), figure
    assert {name for query in FIGURES.values() for name in NAME.findall(query)} <= shown()
    until(lambda: ask('ALERTS{alertname="GrantManagementPurgeLate"}'), "an alert")
    assert {one["metric"]["alertname"] for one in ask("ALERTS")} == {"GrantManagementPurgeLate"}


def shown():
    """The series of the panels, with all those of their histograms."""
    names = {name for query in PANELS for name in NAME.findall(query)}
    return names | {re.sub("_bucket$", "_count", name) for name in names}


def test_every_metric_has_a_panel():
    from prometheus_client import REGISTRY

    from grant_management.metrics.counters import DECISIONS  # noqa: F401

    ours = {one.name for one in REGISTRY.collect() if one.name.startswith("grant_management_")}
    assert ours <= {re.sub("_(total|bucket)$", "", name) for name in shown()}


def test_the_codes_of_queries_are_codes():
    named = set(re.findall(r"A\d{6}", "".join([*PANELS, *(rule["expr"] for rule in ALERTS)])))
    assert named <= {result.code for result in Result}


def test_promtool_likes_the_rules():
    done = subprocess.run([PROMTOOL, "check", "rules", RULES], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"{len(ALERTS)} rules found" in done.stdout


def test_each_alert_fires(tmp_path):
    """Of each rule: the series with which it fires, and that without it does not."""
    path = tmp_path / "tests.yml"
    path.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "tests": list(_scenarios())}))
    done = subprocess.run([PROMTOOL, "test", "rules", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {alert for alert, *_ in FIRES} == {rule["alert"] for rule in ALERTS}


_ATTEMPTS = 'grant_management_delivery_attempts_total{to="%s",outcome="%s"}'
FIRES = [
    ("Down", 'up{job="grant-management"}', "0x240"),
    ("DatabaseAway", "grant_management_database_up", "0x240"),
    ("CallsFail", 'grant_management_decisions_total{code="A277102"}', "0+9x240"),
    ("DatabaseErrors", 'grant_management_database_errors_total{kind="away"}', "0+9x240"),
    ("CallsSlow", 'grant_management_request_seconds_bucket{door="gm",le="1"}', "0x240"),
    ("LockWaits", 'grant_management_lock_seconds_bucket{le="5"}', "0x240"),
    ("Replays", 'grant_management_replays_refused_total{service="1"}', "0+9x240"),
    ("PurgeLate", "grant_management_purge_last_timestamp_seconds", "0x240"),
    ("PurgeBacklog", 'grant_management_purge_backlog{table="grant"}', "10000x240"),
    ("EventsLate", "grant_management_outbox_age_seconds", "301x240"),
    ("WebhooksLate", 'grant_management_delivery_overdue_seconds{to="webhook"}', "901x240"),
    ("WebhooksRefused", _ATTEMPTS % ("stream", "refused"), "0+9x240"),
    ("DeliveriesDead", 'grant_management_deliveries_dead{to="webhook"}', "0+1x240"),
    ("ReceiverGone", _ATTEMPTS % ("webhook", "gone"), "0+1x240"),
    ("WorkersDie", "grant_management_worker_starts_total", "0+9x240"),
    ("Conflicts", "grant_management_retries_total", "0+999x240"),
]
FIRES = [(f"GrantManagement{name}", series, values) for name, series, values in FIRES]
MORE = {
    "GrantManagementReceiverGone": _ATTEMPTS % ("webhook", "delivered"),
    "GrantManagementCallsSlow": 'grant_management_request_seconds_bucket{door="gm",le="+Inf"}',
    "GrantManagementLockWaits": 'grant_management_lock_seconds_bucket{le="+Inf"}',
}


def _scenarios():
    rules = {rule["alert"]: rule for rule in ALERTS}
    for alert, series, values in FIRES:
        fed = [{"series": series, "values": values}]
        if alert in MORE:
            fed.append({"series": MORE[alert], "values": "0+9x240"})
        labels = f'alertname="{alert}"'
        yield {
            "interval": "1m",
            "input_series": fed,
            "promql_expr_test": [
                {
                    "expr": f'count(ALERTS{{{labels},alertstate="firing"}})',
                    "eval_time": "239m",
                    "exp_samples": [{"labels": "{}", "value": 1}],
                },
                {
                    "expr": "count(ALERTS)",
                    "eval_time": "239m",
                    "exp_samples": [{"labels": "{}", "value": 1}],
                },
            ],
        }
        assert rules[alert]["annotations"]["summary"]
