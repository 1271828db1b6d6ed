"""The arithmetic: how full each part is, by the utilisation law.

A part that takes s seconds of each of n calls a second is busy for n * s of the time.
"""

import math
from collections.abc import Callable

from . import measured
from .assumed import Demand, Machine

PAGE = 8_192
"""Bytes of a page of PostgreSQL."""
XIDS = 200e6
"""Transactions until PostgreSQL reads tables to freeze them (`autovacuum_freeze_max_age`)."""


def busy(demand: Demand, part: str) -> float:
    """Cores that a part (`app_us`, `database_us`, `pooler_us`) keeps busy."""
    calls = measured.CALLS.items()
    return sum(demand.rate(kind) * getattr(call, part) for kind, call in calls) / 1e6


def commits(demand: Demand) -> float:
    """Transactions a second that write."""
    return sum(demand.rate(kind) * call.commits for kind, call in measured.CALLS.items())


def sessions(demand: Demand, machine: Machine) -> float:
    """Sessions of PostgreSQL in use (Little's law): its own work, and the waits of commits."""
    return busy(demand, "database_us") + commits(demand) * machine.commit_ms / 1e3


def purged(demand: Demand) -> float:
    """Rows a second that the purge has to delete: proofs, tokens and events, once old."""
    calls = measured.CALLS.items()
    return sum(demand.rate(kind) * call.expiring for kind, call in calls)


def stored(demand: Demand) -> dict[str, float]:
    """Rows that there are, by table: of what expires, once as many expire as are made."""
    issued = demand.rate("refresh", "tokens")
    return {
        "grant": demand.grants + demand.rate("grant") * demand.runs,
        "accesstoken": issued * (demand.access_lives + measured.PURGE_EVERY),
        "refreshtoken": max(demand.grants, issued * demand.refresh_lives),
        "grantevent": demand.rate("grant", "revoke") * demand.events_kept,
        "usedproof": demand.rate("dpop") * (measured.PROOF_LIVES + measured.PURGE_EVERY),
    }


def size(demand: Demand, machine: Machine) -> dict[str, float]:
    """Bytes on the disk of one copy, by table, with indexes and what time leaves free in them."""
    rows = stored(demand).items()
    return {table: number * measured.ROWS[table].bytes * machine.bloat for table, number in rows}


def hot(demand: Demand, machine: Machine) -> float:
    """Bytes that should be in memory: what a QUERY reads of the grants in use, and all proofs."""
    read = demand.grants * machine.in_use * measured.QUERY_READS.value
    return read + size(demand, machine)["usedproof"]


def log(demand: Demand, machine: Machine) -> float:
    """Bytes of the write-ahead log a second: records, and pages that are logged whole."""
    return sum(
        demand.rate(kind) * call.log
        + _first_touches(demand.rate(kind), _pages(kind, demand, machine), machine)
        * (call.packed if machine.compressed else call.first)
        for kind, call in measured.CALLS.items()
    )


def _pages(kind: str, demand: Demand, machine: Machine) -> float:
    """Pages that a call may touch: a used proof is in a small table of its own."""
    sizes = size(demand, machine)
    return (sizes["usedproof"] if kind == "dpop" else sum(sizes.values())) / PAGE


def _first_touches(rate: float, pages: float, machine: Machine) -> float:
    """Calls a second that are the first to touch their pages since a checkpoint.

    Of n calls to P pages, taken at random, P * (1 - e^(-n / P)) find a page untouched.
    """
    calls = rate * machine.checkpoint
    return pages * -math.expm1(-calls / pages) / machine.checkpoint if pages else 0.0


def freezes_every(demand: Demand) -> float:
    """Seconds until a database has used so many transactions that it must freeze."""
    return XIDS / commits(demand) if commits(demand) else math.inf


PARTS: dict[str, Callable[[Demand, Machine], float]] = {
    "worker": lambda demand, machine: busy(demand, "app_us"),
    "PgBouncer": lambda demand, machine: busy(demand, "pooler_us"),
    "cores": lambda demand, machine: busy(demand, "database_us") / machine.cores,
    "purge by itself": lambda demand, machine: purged(demand) / measured.PURGE_PACED.value,
    "`purge_expired`": lambda demand, machine: purged(demand) / measured.PURGE_FULL.value,
    "sessions": lambda demand, machine: sessions(demand, machine) / machine.sessions,
    "write-ahead log": lambda demand, machine: log(demand, machine) / machine.log,
    "disk": lambda demand, machine: sum(size(demand, machine).values()) / machine.disk,
}
"""The share of one of each part that a demand uses: 1 is full."""
OF_A_NODE = ("cores", "sessions", "write-ahead log", "disk")
"""What another node of PostgreSQL adds; the purge is a process for each node."""


def utilisations(demand: Demand, machine: Machine) -> dict[str, float]:
    """How full one of each part is, the fullest first."""
    found = {part: function(demand, machine) for part, function in PARTS.items()}
    return dict(sorted(found.items(), key=lambda item: -item[1]))
