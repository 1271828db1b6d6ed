"""The faults of a cluster. `inject` brings one about, `heal` takes it away."""

import signal
import time
from typing import ClassVar, Final

from .. import network
from ..cluster import Cluster
from ..daemons import send_all
from ..node import Node

TTL: Final = 20.0
"""Seconds until a node that is lost is replaced: `ttl` in deploy/cluster/patroni.yaml."""
AFTER_A_KILL, AFTER_A_LOSS = 5.0, TTL + 5.0
"""The goals: seconds without success."""


class Fault:
    """One fault; the docstring is for the document too."""

    name: ClassVar[str]
    hold: ClassVar[float] = 8.0
    """Seconds that it lasts; by then calls succeed again, although nothing was healed."""
    goal: ClassVar[float] = AFTER_A_KILL
    paths: ClassVar[tuple[str, ...]] = ("pgbouncer", "haproxy", "hosts")
    in_short: ClassVar[bool] = False
    stops_writes: ClassVar[bool] = False
    """Whether writes are refused until it is healed."""

    def missing(self, cluster: Cluster) -> str:
        """Why the fault is not possible here; "" where it is."""
        return ""

    def inject(self, cluster: Cluster) -> None:
        """Bring the fault about."""
        raise NotImplementedError

    def heal(self, cluster: Cluster) -> None:
        """Take the fault away."""


class PrimaryKilled(Fault):
    """SIGKILL for every process of PostgreSQL on the primary; a standby becomes the primary."""

    name = "primary killed"
    in_short = True

    def inject(self, cluster: Cluster) -> None:
        """Kill PostgreSQL."""
        cluster.primary().kill_postgresql()


class OfPrimary(Fault):
    """A fault of the primary's node, which stays away until it is healed."""

    hold = TTL + 9.0
    goal = AFTER_A_LOSS
    node: Node


class NodeKilled(OfPrimary):
    """SIGKILL for Patroni and PostgreSQL of the primary."""

    name = "node killed"

    def inject(self, cluster: Cluster) -> None:
        """Kill the node."""
        self.node = cluster.primary()
        self.node.kill()

    def heal(self, cluster: Cluster) -> None:
        """Start the node, which becomes a standby."""
        self.node.start()


class PacketsDropped(OfPrimary):
    """No packet reaches the primary's node, and none leaves it: no power, or no network."""

    name = "packets dropped"

    def missing(self, cluster: Cluster) -> str:
        """It takes network namespaces."""
        return "" if cluster.layout.apart else network.why_not()

    def inject(self, cluster: Cluster) -> None:
        """Cut the node off."""
        self.node = cluster.primary()
        network.cut(self.node.member.name)

    def heal(self, cluster: Cluster) -> None:
        """Let packets through."""
        network.mend(self.node.member.name)


class PatroniFrozen(OfPrimary):
    """SIGSTOP for Patroni on the primary, while its PostgreSQL lives: nobody demotes it."""

    name = "Patroni frozen"
    in_short = True

    def inject(self, cluster: Cluster) -> None:
        """Freeze Patroni."""
        self.node = cluster.primary()
        self.node.freeze()

    def heal(self, cluster: Cluster) -> None:
        """Let it go on: it finds that it lost the lease, and becomes a standby."""
        self.node.thaw()


class SwitchedOver(Fault):
    """An operator makes another node the primary."""

    name = "switched over"

    def inject(self, cluster: Cluster) -> None:
        """Switch over."""
        cluster.switch_over()


class AheadAndKilled(NodeKilled):
    """Nothing is sent to a standby for 1.5 s; then the primary's node is killed, with commits that
    wait.
    """

    name = "killed while ahead"

    def inject(self, cluster: Cluster) -> None:
        """Freeze what sends, then kill the node. (What a standby has not read yet, while it is what
        stands still, waits in its socket, and it reads it later.)
        """
        senders = cluster.primary().wal_senders()
        send_all(senders, signal.SIGSTOP)
        try:
            time.sleep(1.5)
            super().inject(cluster)
        finally:
            send_all(senders, signal.SIGCONT)


class StandbysStopped(Fault):
    """Both standbys are stopped: nothing can be acknowledged."""

    name = "standbys stopped"
    hold = 20.0
    in_short = True
    stops_writes = True

    def inject(self, cluster: Cluster) -> None:
        """Stop both, as an operator does."""
        self._stopped = cluster.standbys()
        for node in self._stopped:
            node.stop()

    def heal(self, cluster: Cluster) -> None:
        """Start them."""
        for node in self._stopped:
            node.start()


class EtcdStopped(Fault):
    """etcd is stopped for longer than the lease of the primary."""

    name = "etcd stopped"
    hold = TTL + 9.0

    def inject(self, cluster: Cluster) -> None:
        """Kill etcd."""
        cluster.etcd.kill()

    def heal(self, cluster: Cluster) -> None:
        """Start it."""
        cluster.start_etcd()


class PgBouncerRestarted(Fault):
    """PgBouncer is killed, and starts again."""

    name = "PgBouncer restarted"
    paths = ("pgbouncer",)
    hold = 5.0

    def inject(self, cluster: Cluster) -> None:
        """Restart it."""
        cluster.pgbouncer.kill()
        cluster.start_pgbouncer()


class HAProxyRestarted(Fault):
    """HAProxy is killed, and starts again."""

    name = "HAProxy restarted"
    paths = ("pgbouncer", "haproxy")
    hold = 5.0

    def inject(self, cluster: Cluster) -> None:
        """Restart it."""
        cluster.haproxy.kill()
        cluster.start_haproxy()


FAULTS: Final = (
    PrimaryKilled,
    NodeKilled,
    PacketsDropped,
    PatroniFrozen,
    SwitchedOver,
    AheadAndKilled,
    StandbysStopped,
    EtcdStopped,
    PgBouncerRestarted,
    HAProxyRestarted,
)
