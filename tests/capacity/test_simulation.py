"""The simulation reproduces what was measured, and the arithmetic agrees with it."""

import pytest

from benchmarks.capacity import arithmetic, checked, measured, simulation
from benchmarks.capacity.assumed import Demand, Machine
from benchmarks.capacity.plan import plan
from benchmarks.capacity.simulation import Layout
from benchmarks.capacity.tables import SIZES

RATE, P50, P99 = 0.03, 0.08, 0.25
"""How far the simulation may be from what was measured; docs/explanation/sizing.md says so."""
CALLS = 30_000
"""In a simulation: then the mean of the mix has a standard error of some 2 %."""


@pytest.mark.parametrize("point", measured.POINTS, ids=lambda point: point.name)
def test_reproduces_what_was_measured(point):
    run = simulation.reproduced(point)
    assert run.rate == pytest.approx(point.rate, rel=RATE)
    assert run.percentile(0.5) == pytest.approx(point.p50, rel=P50)
    assert run.percentile(0.99) == pytest.approx(point.p99, rel=P99)


@pytest.mark.parametrize("demand", SIZES, ids=lambda demand: f"{demand.calls:.0f}")
def test_the_utilisation_law_holds(demand):
    """Of each tier of the plan, at each size; and Little's law for the sessions."""
    found = plan(demand, Machine())
    parts = checked.layout(found)
    run = simulation.opened(checked.rates(demand), parts, seconds=CALLS / demand.calls)
    assert run.rate == pytest.approx(demand.calls, rel=0.05)
    assert checked.seen(run, parts) == pytest.approx(checked.expected(demand, parts), rel=0.07)
    sessions = arithmetic.sessions(demand, found.machine)  # without waits for a core
    assert run.held / run.seconds == pytest.approx(sessions, rel=0.3)


LAYOUTS = {
    "worker": Layout(workers=1, poolers=1, nodes=1, cores=2),
    "pooler": Layout(workers=10, poolers=1, nodes=1, cores=4),
    "database": Layout(workers=40, poolers=10, nodes=1, cores=2),
}


@pytest.mark.parametrize(("first", "parts"), LAYOUTS.items())
def test_what_saturates_first(first, parts):
    """The arithmetic names the tier, and the calls a second at which it is full; more calls than
    that are not answered.
    """
    one = checked.expected(Demand(grants=0, calls=1), parts)
    assert max(one, key=one.get) == first
    most = 1 / one[first]
    demand = Demand(grants=0, calls=1.3 * most)
    run = simulation.opened(checked.rates(demand), parts, seconds=CALLS / demand.calls)
    seen = checked.seen(run, parts)
    assert max(seen, key=seen.get) == first
    assert seen[first] > 0.95
    assert run.rate == pytest.approx(most, rel=0.08)


@pytest.mark.parametrize(("share", "grows"), [(0.7, False), (1.5, True)])
def test_a_purge_that_is_too_slow_falls_behind(share, grows):
    """Rows are left over exactly where more are made a second than it deletes."""
    speed = 2_000.0
    demand = Demand(grants=0, calls=speed * share / arithmetic.purged(Demand(grants=0, calls=1)))
    parts = Layout(workers=10, nodes=1, cores=4, purge=speed)
    seconds = 2.0
    run = simulation.opened(checked.rates(demand), parts, seconds=seconds)
    behind = (share - 1) * speed * seconds
    assert run.rows == pytest.approx(behind, rel=0.3) if grows else run.rows < 1_000


def test_a_full_node_holds_the_slots_of_all_workers():
    """Two nodes are not full at the same moments: calls to one of them wait for slots meanwhile, so
    together they do less than one node with the cores of both.
    """
    one = Layout(workers=40, poolers=10, nodes=1, cores=2)
    two = Layout(workers=40, poolers=10, nodes=2, cores=1)
    most = 1 / checked.expected(Demand(grants=0, calls=1), one)["database"]
    demand = Demand(grants=0, calls=1.3 * most)
    rates, seconds = checked.rates(demand), CALLS / demand.calls
    together, apart = (simulation.opened(rates, parts, seconds=seconds) for parts in (one, two))
    assert apart.worked["database"] < 0.98 * together.worked["database"]
