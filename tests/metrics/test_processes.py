"""Metrics of a server with several workers: any of them answers for all, whoever dies."""

import contextlib
import http.client
import os
import re
import signal

import pytest

from ..standalone import (
    API_TOKEN,
    PATH,
    QUERY,
    SERVER,
    children,
    environment,
    free_port,
    post,
    raw,
    running,
    runs,
    until,
    wait_for,
)

pytestmark = pytest.mark.usefixtures("once")
TOKEN = "token-of-a-test-" * 3


@contextlib.contextmanager
def serving(url, **env):
    """Two workers; the process, its port and the port of its metrics."""
    port, metrics = free_port(), free_port()
    env = {"DATABASE_URL": url, "METRICS_PORT": str(metrics)} | env
    with running(*SERVER, "127.0.0.1", port, 2, **env) as process:
        wait_for(port)
        wait_for(metrics)
        yield process, port, metrics


def get(port, **headers):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as one:
        one.request("GET", "/metrics", headers=headers)
        answer = one.getresponse()
        return answer.status, answer.read().decode()


def value(port, name):
    """The sum of the series of this name."""
    lines = [line for line in get(port)[1].splitlines() if line.startswith(name)]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


CALLS = 'grant_management_decisions_total{action="QUERY",code="A277001",service="1001"}'


def query(port, times):
    for _ in range(times):
        assert post(port, PATH, API_TOKEN, QUERY)[0] == 200


def test_all_workers_count_together_and_outlive_each_other(url, tmp_path):
    folder = tmp_path / "metrics"
    folder.mkdir()
    with serving(url, PROMETHEUS_MULTIPROC_DIR=str(folder)) as (process, port, metrics):
        query(port, 40)
        assert value(metrics, CALLS) == 40
        assert value(metrics, "grant_management_workers") == 2
        files = len(list(folder.glob("*.db")))
        for killed in range(1, 4):
            os.kill(children(process.pid)[0], signal.SIGKILL)
            until(
                lambda n=killed: value(metrics, "grant_management_worker_starts_total") == 2 + n,
                "a worker in its place",
            )
            query(port, 10)
            assert value(metrics, CALLS) == 40 + 10 * killed
        until(lambda: value(metrics, "grant_management_workers") == 2, "two workers")
        assert len(list(folder.glob("*.db"))) == files


def test_the_folder_is_private_and_goes_with_the_server(url, tmp_path):
    with serving(url, TMPDIR=str(tmp_path)) as (process, port, _metrics):
        query(port, 1)
        (folder,) = tmp_path.glob("grant-management-metrics-*")
        assert folder.stat().st_mode & 0o777 == 0o700
        process.terminate()
        process.wait(30)
    assert not folder.exists()


def test_what_a_killed_server_left_goes_at_the_next_start(url, tmp_path):
    """That of a server that runs stays."""

    def folders():
        return set(tmp_path.glob("grant-management-metrics-*"))

    with serving(url, TMPDIR=str(tmp_path)) as (killed, _port, _metrics):
        left = folders()
        every = [*children(killed.pid), killed.pid]
        for pid in every:
            os.kill(pid, signal.SIGKILL)
        killed.wait(30)
        until(lambda: not any(map(runs, every)), "the end of the processes")
    assert len(left) == 1
    assert folders() == left
    with serving(url, TMPDIR=str(tmp_path)) as (_process, port, _metrics):
        query(port, 1)
        running_one = folders()
        assert len(running_one) == 1
        assert not running_one & left
        with serving(url, TMPDIR=str(tmp_path)) as (_process, port, _metrics):
            query(port, 1)  # it is up, so it ends in order
            assert len(folders()) == 2
        assert folders() == running_one


def test_at_the_port_there_is_nothing_else(url):
    with serving(url) as (_process, port, metrics):
        assert raw(metrics, b"GET /admin/ HTTP/1.0\r\n\r\n")[0] == 404
        assert raw(metrics, b"POST /metrics HTTP/1.0\r\n\r\n")[0] == 405
        assert get(port)[0] == 404


def test_the_demo_says_where_its_metrics_are(tmp_path):
    said = tmp_path / "said"
    demo = ("-m", "gm_project.demo", "--port", free_port())
    with said.open("w") as stdout, running(*demo, stdout=stdout):
        found = r"Metrics: http://127\.0\.0\.1:(\d+)/metrics\n"
        until(lambda: re.search(found, said.read_text()), "where its metrics are")
        port = int(re.search(found, said.read_text())[1])
        last = said.read_text().rstrip().splitlines()[-1]
        assert last.startswith("export BASE_URL=")  # as how-to/authlete-typescript.md says
        assert value(port, 'grant_management_decisions_total{action="REVOKE"') >= 1


def test_behind_a_token(url):
    env = environment(DATABASE_URL=url, METRICS_TOKEN=TOKEN)
    port = free_port()
    with running(*SERVER, "127.0.0.1", port, 1, **env):
        wait_for(port)
        for wrong in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Bearer {API_TOKEN}"}):
            assert get(port, **wrong) == (401, "")
        status, said = get(port, Authorization=f"Bearer {TOKEN}")
        assert (status, "grant_management_workers 1.0" in said) == (200, True)
