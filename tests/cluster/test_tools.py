"""`run.py cluster`: what an operator types, and what it says where it cannot."""

import importlib.util
import io
import os
import signal
import subprocess
import sys
import time
import urllib.error
from types import SimpleNamespace

import psycopg
import pytest

from chaos.processes import descendants
from cluster import __main__ as tools
from cluster import network, programs
from cluster.cluster import Cluster
from cluster.layout import FOLDER, LOOPBACK, Layout
from cluster.trials import trial
from cluster.trials.faults import Fault

from ..standalone import ROOT, environment, until

ARE_INSTALLED = importlib.util.find_spec("patroni") and all(map(programs.shutil.which, ("etcd",)))
WHOLE = (["primary", "replica", "replica"], ["primary", "replica", "sync_standby"])
needs_slow = pytest.mark.skipif("not config.getoption('--slow')", reason="takes a minute: --slow")


def cluster(*arguments):
    """The exit code and what was said."""
    line = [sys.executable, "-m", "cluster", *arguments]
    done = subprocess.run(line, cwd=ROOT, env=environment(), capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_nothing_is_up(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(tools, "FOLDER", tmp_path / "none")
    monkeypatch.setattr(sys, "argv", ["cluster", "status"])
    assert tools.main() == 1
    assert "run.py cluster up" in capsys.readouterr().err


def test_an_ordinary_user_cannot_cut(monkeypatch, tmp_path, capsys):
    Layout.new(tmp_path, apart=False).save()
    monkeypatch.setattr(tools, "FOLDER", tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(sys, "argv", ["cluster", "cut", "node1"])
    assert tools.main() == 1
    assert "it takes root" in capsys.readouterr().err


def test_what_is_missing_is_named(monkeypatch):
    monkeypatch.setattr(programs, "_PATH", "/nowhere")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "apt-get install iproute2 util-linux" in network.why_not()
    with pytest.raises(SystemExit, match=r"setpriv is not installed.*util-linux"):
        programs.as_ordinary_user()


def test_a_cluster_that_runs_in_another_folder_is_left_alone(monkeypatch):
    """Namespaces have the same names."""
    monkeypatch.setattr(network, "_pids", lambda space: b"1")
    monkeypatch.setattr(network, "remove", lambda: pytest.fail("removed"))
    with pytest.raises(RuntimeError, match="runs already"):
        network.make()


def test_what_patroni_refuses_is_one_sentence(monkeypatch, tmp_path):
    made = Cluster(Layout.new(tmp_path, apart=False))
    monkeypatch.setattr(made, "primary", lambda: made.nodes[0])
    with pytest.raises(RuntimeError, match="did not answer"):
        made.switch_over()

    def refuse(*_arguments, **_more):
        raise urllib.error.HTTPError("", 412, "", {}, io.BytesIO())

    monkeypatch.setattr("urllib.request.OpenerDirector.open", refuse)
    with pytest.raises(RuntimeError, match="refused: switchover, 412"):
        made.switch_over()


def test_one_that_does_not_come_up_leaves_no_process(monkeypatch, tmp_path, capsys):
    ended = []
    monkeypatch.setattr(tools, "FOLDER", tmp_path / "x")
    monkeypatch.setattr(Cluster, "end", lambda self: ended.append(self))

    def start(self):
        self.layout.save()
        raise RuntimeError("no")

    monkeypatch.setattr(Cluster, "start", start)
    monkeypatch.setattr(sys, "argv", ["cluster", "up"])
    for _ in range(2):  # a second try is possible
        assert tools.main() == 1
        assert capsys.readouterr().err == "no\n"
    assert len(ended) == 2


def test_a_fault_lasts_from_when_it_is_there():
    """A busy machine is slow to bring it about."""

    class Slow(Fault):
        name, hold = "slow", 0.2

        def inject(self, cluster):
            time.sleep(0.3)

    began, _, ended = trial._bring_about(SimpleNamespace(cluster=None), Slow())
    assert ended - began > 0.45


def test_processes_below_a_process():
    line = ["sh", "-c", "sleep 60 & wait"]
    with subprocess.Popen(line, start_new_session=True) as shell:
        until(lambda: len(descendants(shell.pid)) == 1, "the child")
        assert {shell.pid, *descendants(shell.pid)} <= set(descendants(os.getpid()))
        os.killpg(shell.pid, signal.SIGKILL)


def at_the_port_for_standbys():
    """What HAProxy leads to there, "standby" or "primary"; "": nothing."""
    layout = Layout.load(FOLDER)
    port, password = layout.ports["standbys"], layout.passwords["superuser"]
    try:
        url = f"postgresql://postgres:{password}@{LOOPBACK}:{port}/postgres"
        with psycopg.connect(url, connect_timeout=5) as session:
            (is_standby,) = session.execute("SELECT pg_is_in_recovery()").fetchone()
    except psycopg.OperationalError:
        return ""
    return "standby" if is_standby else "primary"


@needs_slow
@pytest.mark.skipif(not ARE_INSTALLED, reason="Patroni or etcd is not installed")
def test_what_an_operator_types():
    if Layout.load(FOLDER) is not None:
        pytest.skip("a cluster is up")

    def said(*arguments):
        code, text = cluster(*arguments)
        assert code == 0, text
        return text

    def roles():
        return [line.split()[2:] for line in said("status").splitlines() if line.startswith("node")]

    def is_whole():
        return sorted(role[0] for role in roles()) in WHOLE

    def primary():
        named = [number for number, role in enumerate(roles()) if role[0] == "primary"]
        return named[0] if named else None

    def has_moved():
        # Patroni refuses until it knows a synchronous standby. On a busy machine its answer may get
        # lost after it has switched over: a second one would lead back.
        cluster("switchover")
        until(lambda: primary() is not None, "a primary")
        return primary() != before

    try:
        assert "/environment" in said("up")
        until(is_whole, "the cluster")
        assert "DATABASE_URL=" in (FOLDER / "environment").read_text()
        until(
            lambda: [at_the_port_for_standbys() for _ in range(4)] == ["standby"] * 4, "a standby"
        )
        said("kill", "node1", "--node")
        until(lambda: roles()[0][:2] == ["no", "answer"], "the end of node1")
        said("heal")
        until(is_whole, "the cluster")
        until(lambda: primary() is not None, "a primary")
        before = primary()
        until(has_moved, "the switchover")
        until(is_whole, "the cluster")
        assert primary() != before
    finally:
        said("down")
    assert not FOLDER.exists()
