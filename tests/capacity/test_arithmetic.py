"""The arithmetic on numbers that a head can check, and where it must not break."""

from dataclasses import replace

import pytest

from benchmarks.capacity import arithmetic, measured
from benchmarks.capacity.assumed import MIX, Demand, Machine
from benchmarks.capacity.plan import plan

ONLY = dict.fromkeys(MIX, 0.0)
BEARER, DPOP, REFRESH = (ONLY | {kind: 1.0} for kind in ("bearer", "dpop", "refresh"))


def test_the_shares_are_all_calls():
    assert sum(MIX.values()) == pytest.approx(1)
    assert set(MIX) == set(measured.CALLS)


def test_a_thousand_queries_keep_a_quarter_of_a_core_busy():
    demand = Demand(grants=0, calls=1_000, mix=BEARER)
    assert arithmetic.busy(demand, "app_us") == pytest.approx(0.24)
    assert arithmetic.commits(demand) == 0
    assert arithmetic.log(demand, Machine()) == 0
    assert arithmetic.freezes_every(demand) == float("inf")


def test_a_proof_is_a_row_until_it_is_purged():
    demand = Demand(grants=0, calls=1_000, mix=DPOP)
    assert arithmetic.stored(demand)["usedproof"] == 1_000 * (120 + 600)
    assert arithmetic.purged(demand) == 1_000


def test_sessions_wait_for_commits():
    demand = Demand(grants=0, calls=1_000, mix=DPOP)
    assert arithmetic.sessions(demand, Machine(commit_ms=2)) == pytest.approx(0.17 + 2)


def test_rotated_tokens_stay_until_they_expire():
    demand = Demand(grants=10, calls=100, mix=REFRESH, refresh_lives=1_000)
    assert arithmetic.stored(demand)["refreshtoken"] == 100_000


def test_pages_are_logged_whole_once_between_checkpoints():
    """Few calls on many pages each log their pages; many calls on few pages share them."""
    few = Demand(grants=1e9, calls=1, mix=REFRESH)
    machine = Machine(checkpoint=10, compressed=0)
    call = measured.CALLS["refresh"]
    assert arithmetic.log(few, machine) == pytest.approx(call.log + call.first, rel=0.01)
    many = Demand(grants=1, calls=1e6, mix=REFRESH, refresh_lives=1, access_lives=1)
    assert arithmetic.log(many, replace(machine, checkpoint=1e9)) < 1.01e6 * call.log


@pytest.mark.parametrize("calls", [1, 1e3, 1e5, 1e6])
def test_no_part_of_a_plan_is_fuller_than_planned(calls):
    found = plan(Demand(grants=calls * 1e4, calls=calls), Machine())
    used = arithmetic.utilisations(found.of_a_node, found.machine)
    assert all(used[part] <= 0.5 for part in arithmetic.OF_A_NODE)
    assert arithmetic.busy(found.demand, "app_us") / found.workers <= 0.5
    assert arithmetic.busy(found.demand, "pooler_us") / found.poolers <= 0.5
    assert used["`purge_expired`"] <= 0.5
