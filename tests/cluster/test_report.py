"""The section of the cluster in docs/explanation/reliability.md, beside that of `run.py chaos`."""

import signal
import sys

import pytest

import chaos.__main__ as chaos_run
import chaos.trial
from chaos.model import DOUBLED, LOST, WRONG, Finding
from chaos.report import CLUSTER, in_two, joined
from cluster.trials import __main__ as cluster_run
from cluster.trials import report
from cluster.trials.trial import STALE, Row


def test_each_finding_is_in_its_column():
    row = Row("a", "haproxy", calls=1_000, no_reads=1.04, no_writes=2.0)
    row.findings = [
        Finding(LOST, STALE, "g-1"),
        Finding(LOST, "an acknowledged revoke did not last", "g-2"),
        Finding(LOST, STALE, "g-3"),
        Finding(DOUBLED, "a DPoP proof was accepted twice", "g-4"),
        Finding(WRONG, "no read for 9.0 s", "a"),
    ]
    assert report.line(row) == "| a | haproxy | 1,000 | 1.0 | 2.0 | 1 | 2 | 1 | 1 | none |"
    assert f"lost: {STALE} (2)" in report.grouped(row)


def test_a_fault_that_cannot_be_brought_about_is_named():
    assert "not run: it takes root" in report.line(Row("a", "haproxy", "it takes root"))


def test_either_run_leaves_the_other_section():
    chaos, section = "# Reliability\n\n## PostgreSQL", f"{CLUSTER}\n\nrows"
    both = joined(chaos, section)
    assert in_two(both) == (f"{chaos}\n", section)
    assert joined(in_two(both)[0], section) == both
    assert joined(chaos, in_two(chaos)[1]) == f"{chaos}\n"


def run_of_the_cluster(monkeypatch, again):
    monkeypatch.setattr(
        cluster_run, "_run", lambda options: [Row("a", "haproxy", shown_again=again)]
    )
    return cluster_run.main()


def run_of_chaos(monkeypatch, again):
    row = chaos.trial.Row("sqlite", "a", shown_again=again)
    monkeypatch.setattr(chaos_run, "_run", lambda database, options, rows, seen: rows.append(row))
    return chaos_run.main()


@pytest.mark.parametrize("run", [run_of_the_cluster, run_of_chaos])
def test_a_whole_run_that_shows_no_proof_again_fails(monkeypatch, capsys, run):
    """It has not seen whether one is accepted twice."""
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    monkeypatch.setattr(sys, "argv", ["run"])
    assert run(monkeypatch, again=1) == 0
    assert run(monkeypatch, again=0) == 1
    assert "So nothing was learned of them" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["run", "--fault", FAULT_OF[run]])
    assert run(monkeypatch, again=0) == 0


FAULT_OF = {run_of_the_cluster: "etcd stopped", run_of_chaos: "locked"}
