"""The arithmetic beside the simulation: how full each tier is, by both."""

from collections.abc import Iterator

from . import arithmetic, measured, simulation
from .assumed import Demand
from .plan import Plan
from .simulation import Layout, Run

PARTS = {"worker": "app_us", "pooler": "pooler_us", "database": "database_us"}


def rates(demand: Demand) -> dict[str, float]:
    """Calls a second by kind."""
    return {kind: demand.rate(kind) for kind in measured.CALLS}


def layout(plan: Plan) -> Layout:
    """The parts of a plan, and the purge at full speed, which has a core of its own."""
    return Layout(
        workers=plan.workers,
        poolers=plan.poolers,
        nodes=plan.nodes,
        cores=plan.node_cores - 1,
        commit_ms=plan.machine.commit_ms,
        purge=measured.PURGE_FULL.value,
    )


def servers(parts: Layout) -> dict[str, int]:
    """Cores of each tier."""
    return {
        "worker": parts.workers,
        "pooler": parts.poolers,
        "database": parts.nodes * parts.cores,
    }


def expected(demand: Demand, parts: Layout) -> dict[str, float]:
    """How full each tier is, by the utilisation law."""
    return {
        tier: arithmetic.busy(demand, PARTS[tier]) / number
        for tier, number in servers(parts).items()
    }


def seen(run: Run, parts: Layout) -> dict[str, float]:
    """How full each tier was in a simulation."""
    return {tier: run.utilisation(tier, number) for tier, number in servers(parts).items()}


def compare(plan: Plan, seconds: float = 0.5) -> Iterator[str]:
    """Lines that say how full each tier is, by both, and what callers waited."""
    parts = layout(plan)
    run = simulation.opened(rates(plan.demand), parts, seconds=seconds)
    found = seen(run, parts)
    for tier, law in expected(plan.demand, parts).items():
        yield f"{tier:10} {100 * law:6.1f} % by arithmetic, {100 * found[tier]:6.1f} % simulated"
    yield f"p50 {run.percentile(0.5):.2f} ms, p99 {run.percentile(0.99):.2f} ms"
