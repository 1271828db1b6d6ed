"""What a trial of the cluster says of the calls around a fault, and of those that hung."""

import threading
from types import SimpleNamespace

import pytest

from chaos.load import Calls, Target
from chaos.model import WRONG, Model
from chaos.wire import CLOSED, TIMED_OUT
from cluster.trials import trial
from cluster.trials.faults import Fault
from cluster.trials.gauge import Gauge, Line


class Broken(Fault):
    name = "broken"


@pytest.fixture
def gauge():
    """While no standby was there (from 10 to 20): reads went on, and writes were refused as busy."""
    made = Gauge(SimpleNamespace(ports=[]))
    made.lines = [
        Line("reads", [9.0, 12.0, 21.0]),
        Line("writes", [9.0, 21.0], {"A277103", CLOSED}),
    ]
    return made


@pytest.fixture
def refusals(gauge):
    def judge():
        model = Model("m")
        trial._refusals(gauge, 10.0, 20.0, Broken(), model)
        assert all(one.kind == WRONG for one in model.findings)
        return [one.sentence for one in model.findings]

    return judge


def test_without_a_standby_reads_go_on(gauge, refusals):
    assert refusals() == []
    gauge.lines[0].done.remove(12.0)
    assert refusals() == ["no bearer QUERY was fulfilled without a standby"]


def test_without_a_standby_writes_are_refused_as_busy(gauge, refusals):
    gauge.lines[1].codes.add("A277101")
    assert refusals() == [
        "writes were not refused as busy: ['A277101', 'A277103', 'connection closed']"
    ]
    gauge.lines[1].codes.remove("A277101")
    gauge.lines[1].done.append(15.0)
    assert refusals() == ["writes were acknowledged that no standby has"]


def test_a_trial_shows_proofs_again():
    """Without any it would say nothing of them."""
    model = Model("m")
    assert trial._ask_again(Calls(Target([], 1001, "", {}), model), Broken()) == 0
    assert [one.kind for one in model.findings] == [WRONG]


def test_a_thread_of_the_load_that_ended_is_noticed(monkeypatch):
    monkeypatch.setattr(trial, "watch", lambda number, calls, stop: stop.wait())
    monkeypatch.setattr(trial.Hand, "run", lambda hand, stop: stop.wait())
    place = SimpleNamespace(target=lambda: Target([], 1001, "", {}))
    with trial._Load(place, Model("m")) as load:
        assert load.alive
        load._threads[0] = threading.Thread()
        assert not load.alive
        load._threads.pop(0)


def hangs(gauge, *refused):
    model = Model("m")
    for code in refused:
        model.count(code, 9.0)
    trial._hangs(gauge, Broken(), model)
    return [one.sentence for one in model.findings]


def test_a_call_that_hangs_is_found(gauge):
    """An answer is JSON, or the connection closes."""
    assert hangs(gauge, CLOSED, "A277102") == []
    assert hangs(gauge, TIMED_OUT, TIMED_OUT) == ["a call hung"]
    gauge.lines[0].codes.add(TIMED_OUT)
    assert hangs(gauge) == ["a call hung"]
