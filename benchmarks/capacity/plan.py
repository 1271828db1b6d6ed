"""How many of each part a demand needs, and what they cost."""

import math
from dataclasses import dataclass, replace

from . import arithmetic as of
from . import measured
from .assumed import Demand, Machine, Prices

GB = 1e9
BY_NODE = (*of.OF_A_NODE, "`purge_expired`")


@dataclass(frozen=True)
class Plan:
    """The parts, each filled as far as the machine's plan says."""

    workers: int
    poolers: int
    nodes: int
    binds: str
    """What the number of nodes follows from."""
    demand: Demand
    machine: Machine

    @property
    def of_a_node(self) -> Demand:
        """What one node gets where services are spread evenly."""
        share = self.nodes
        return replace(
            self.demand, grants=self.demand.grants / share, calls=self.demand.calls / share
        )

    @property
    def cores(self) -> int:
        """Of all: servers, poolers, and every copy of each node."""
        return self.workers + self.poolers + self.nodes * self.machine.copies * self.node_cores

    @property
    def node_cores(self) -> int:
        """Of a node: what its calls need, one at least, and one more for the purge."""
        needed = of.busy(self.of_a_node, "database_us") / self.machine.planned
        return max(1, math.ceil(needed)) + 1

    @property
    def memory(self) -> float:
        """GB of all: workers, and in each copy what is in use, and as much again for the system."""
        hot = of.hot(self.of_a_node, self.machine) / GB
        each = max(1.0, 2 * hot)
        return self.workers * measured.WORKER.value / 1e3 + self.nodes * self.machine.copies * each

    @property
    def disk(self) -> float:
        """GB of all copies, filled as far as is planned."""
        size = sum(of.size(self.demand, self.machine).values())
        return size * self.machine.copies / self.machine.planned / GB

    def price(self, prices: Prices) -> float:
        """Of a month."""
        return prices.of(self.cores, self.memory, self.disk)

    @property
    def restores_in(self) -> float:
        """Seconds until a node is back from its oldest base backup, with the log since then."""
        log = of.log(self.of_a_node, self.machine) * self.machine.backup
        return self.copies_in + log / self.machine.replay

    @property
    def copies_in(self) -> float:
        """Seconds until another standby, or a service that moves, has been copied from a node."""
        return sum(of.size(self.of_a_node, self.machine).values()) / self.machine.copy


def plan(demand: Demand, machine: Machine) -> Plan:
    """The fewest parts of which none is fuller than planned."""
    used = of.utilisations(demand, machine)
    nodes, binds = _nodes(used, machine)
    return Plan(
        workers=_of(of.busy(demand, "app_us"), machine),
        poolers=_of(of.busy(demand, "pooler_us"), machine),
        nodes=nodes,
        binds=binds,
        demand=demand,
        machine=machine,
    )


def _nodes(used: dict[str, float], machine: Machine) -> tuple[int, str]:
    binds = max(BY_NODE, key=used.__getitem__)
    return _of(used[binds], machine), binds


def _of(full: float, machine: Machine) -> int:
    return max(1, math.ceil(full / machine.planned))
