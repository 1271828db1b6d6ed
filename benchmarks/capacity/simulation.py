"""A simulation, event by event: callers or arrivals, workers, poolers, nodes of PostgreSQL.

A worker is one core (Python's interpreter lock lets one thread work) and a few slots. A call takes
a slot, works half of its time, waits for the pooler and the database, and works the other half.
A commit waits and uses no core.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import simpy

from . import measured
from .measured import Call

SPREAD = 0.9
"""The standard deviation of service times ÷ their mean. Not measured: fitted to the p99 of
performance.md."""
SLOTS = 4


@dataclass(frozen=True)
class Layout:
    """How many of each part there are. `nodes` share the services; `cores` are those of a node."""

    workers: int = 1
    poolers: int = 0
    nodes: int = 1
    cores: int = 1
    commit_ms: float = measured.COMMIT.value
    purge: float = 0.0
    """Rows a second that the purge of a node deletes; 0: it does not run."""


@dataclass
class Run:
    """What a simulation found. Times in seconds."""

    seconds: float = 0.0
    took: list[float] = field(default_factory=list)
    worked: dict[str, float] = field(default_factory=lambda: dict.fromkeys(TIERS, 0.0))
    held: float = 0.0
    """Seconds in which sessions of PostgreSQL were in use, added up."""
    rows: float = 0.0
    """That the purge has not deleted."""

    @property
    def rate(self) -> float:
        """Calls a second that were answered."""
        return len(self.took) / self.seconds

    def percentile(self, share: float) -> float:
        """Milliseconds that this share (0 to 1) of the calls does not exceed."""
        ordered = sorted(self.took)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1e3

    def utilisation(self, tier: str, servers: int) -> float:
        """The share of the time in which so many cores of a tier worked."""
        return self.worked[tier] / self.seconds / servers


TIERS = ("worker", "pooler", "database")


class System:
    """The parts, and a call on its way through them."""

    def __init__(self, layout: Layout, seed: int = 1) -> None:
        self.layout, self.run, self.random = layout, Run(), random.Random(seed)
        self.environment = environment = simpy.Environment()
        self.slots = [simpy.Resource(environment, SLOTS) for _ in range(layout.workers)]
        self.cores = [simpy.Resource(environment, 1) for _ in range(layout.workers)]
        self.poolers = [simpy.Resource(environment, 1) for _ in range(layout.poolers)]
        self.nodes = [simpy.Resource(environment, layout.cores) for _ in range(layout.nodes)]
        if layout.purge:
            for _ in self.nodes:
                environment.process(self._purge())

    def call(self, call: Call) -> Iterator[Any]:
        """A call by a balancer that takes the worker with the fewest calls."""
        began = self.environment.now
        worker = min(range(len(self.slots)), key=lambda one: self._waiting(self.slots[one]))
        with self.slots[worker].request() as slot:
            yield slot
            yield from self._work("worker", self.cores[worker], call.app_us / 2)
            if call.database_us:
                yield from self._database(call)
            yield from self._work("worker", self.cores[worker], call.app_us / 2)
        self.run.took.append(self.environment.now - began)

    def _database(self, call: Call) -> Iterator[Any]:
        if self.poolers:
            pooler = min(self.poolers, key=self._waiting)
            yield from self._work("pooler", pooler, call.pooler_us)
        began = self.environment.now
        # By its service, so evenly where services are many and none is much larger.
        node = self.random.choice(self.nodes)
        yield from self._work("database", node, call.database_us)
        if call.commits:
            yield self.environment.timeout(self._time(self.layout.commit_ms * 1e3))
        self.run.held += self.environment.now - began
        self.run.rows += call.expiring

    def _work(self, tier: str, core: simpy.Resource, microseconds: float) -> Iterator[Any]:
        with core.request() as turn:
            yield turn
            seconds = self._time(microseconds)
            yield self.environment.timeout(seconds)
        self.run.worked[tier] += seconds

    def _purge(self) -> Iterator[Any]:
        batch = measured.PURGE_BATCH
        while True:
            yield self.environment.timeout(batch / self.layout.purge)
            self.run.rows -= min(batch, self.run.rows)

    def _time(self, mean: float) -> float:
        """Seconds, for a mean in microseconds."""
        shape = SPREAD**-2
        return self.random.gammavariate(shape, mean / shape) / 1e6

    @staticmethod
    def _waiting(resource: simpy.Resource) -> int:
        return resource.count + len(resource.queue)


def closed(call: Call, layout: Layout, *, callers: int, calls: int) -> Run:
    """Callers who send their next call when the last one is answered, as `benchmarks.load` does."""
    system = System(layout)
    left = iter(range(calls))

    def caller() -> Iterator[Any]:
        for _ in left:
            yield from system.call(call)

    everybody = [system.environment.process(caller()) for _ in range(callers)]
    system.environment.run(system.environment.all_of(everybody))
    system.run.seconds = system.environment.now
    return system.run


def reproduced(point: measured.Point, calls: int = 10_000) -> Run:
    """What was measured, simulated: one worker, and PostgreSQL on a core of its own."""
    return closed(point.call, Layout(), callers=measured.CALLERS, calls=calls)


def opened(rates: dict[str, float], layout: Layout, *, seconds: float) -> Run:
    """Calls that arrive at these rates a second, by kind, whether or not others are answered."""
    system = System(layout)
    kinds, weights = list(rates), list(rates.values())

    def arrivals() -> Iterator[Any]:
        while True:
            yield system.environment.timeout(system.random.expovariate(sum(weights)))
            kind = system.random.choices(kinds, weights)[0]
            system.environment.process(system.call(measured.CALLS[kind]))

    system.environment.process(arrivals())
    system.environment.run(seconds)
    system.run.seconds = seconds
    return system.run
