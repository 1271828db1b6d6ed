"""Shows that the trials can fail: each in a cluster that the documents advise against.

The order matters: what a trial switches off stays off for those after it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from chaos.load import AGAIN

from ..cluster import Cluster
from . import trial
from .faults import (
    TTL,
    AheadAndKilled,
    EtcdStopped,
    Fault,
    PatroniFrozen,
    PrimaryKilled,
    StandbysStopped,
)
from .place import Place
from .trial import Row


class FrozenForLong(PatroniFrozen):
    """As frozen, so that both primaries answer for a while."""

    hold = TTL + 30.0


class NobodyTakesOver(PrimaryKilled):
    """As killed, while every Patroni stands still."""

    def inject(self, cluster: Cluster) -> None:
        """Freeze every Patroni, then kill PostgreSQL."""
        primary = cluster.primary()
        for node in cluster.nodes:
            node.freeze()
        primary.kill_postgresql()

    def heal(self, cluster: Cluster) -> None:
        """Let each Patroni go on: one of them replaces the primary."""
        for node in cluster.nodes:
            node.thaw()


@dataclass(frozen=True)
class Proof:
    """A trial that has to fail: what is switched off before it, and what has to be seen."""

    path: str
    fault: type[Fault]
    off: tuple[str, ...]
    seen: Callable[[Row], bool]
    unseen: str


def _too_long(row: Row) -> bool:
    return any(one.sentence.startswith("no read for") for one in row.findings)


def _alone(row: Row) -> bool:
    return any(one.sentence.startswith("writes were acknowledged") for one in row.findings)


def _forgot_proofs(row: Row) -> bool:
    return any(one.sentence == AGAIN for one in row.findings)


PROOFS: Final = (
    Proof(
        "hosts",
        FrozenForLong,
        (),
        lambda row: row.stale > 0,
        "no stale answer was seen where sessions stay with a primary whose Patroni is stuck",
    ),
    Proof("haproxy", NobodyTakesOver, (), _too_long, "no pause was seen where nobody takes over"),
    Proof("haproxy", EtcdStopped, ("failsafe_mode",), _too_long, "no pause was seen without etcd"),
    Proof(
        "haproxy",
        StandbysStopped,
        ("synchronous_mode", "synchronous_mode_strict"),
        _alone,
        "no write was seen to be acknowledged by the primary alone",
    ),
    Proof(
        "haproxy",
        AheadAndKilled,
        (),
        lambda row: row.lost > 0 and _forgot_proofs(row),
        "no loss, or no forgotten proof, was seen without synchronous replication",
    ),
)


def prove(place: Place) -> Iterator[tuple[Row, str]]:
    """The row of each trial, and what it had to show and did not; "": it showed it."""
    for proof in PROOFS:
        if place.path != proof.path:
            place.take(proof.path)
        if proof.off:
            place.cluster.configure(**dict.fromkeys(proof.off, False))
        row = trial.run(place, proof.fault(), timed=True)
        yield row, "" if proof.seen(row) else proof.unseen
