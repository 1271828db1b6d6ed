"""What was measured, each figure with the document that has it. Nothing else here has a figure."""

from dataclasses import dataclass

PERFORMANCE = "performance.md"
SIZING = "sizing.md"
"""Its figures are of `run.py bench footprint`, and its tables are written from this file."""


@dataclass(frozen=True)
class Figure:
    """A value, and the words of a document of docs/explanation that have it."""

    value: float
    document: str
    words: str


@dataclass(frozen=True)
class Call:
    """What a call costs: microseconds of CPU, commits, and bytes of the write-ahead log.

    `first`: what a call adds that is the first to touch its pages after a checkpoint; `packed`: the
    same with `wal_compression`. `expiring`: rows that it makes, and that the purge deletes later:
    proofs, tokens and events.
    """

    app_us: float
    database_us: float
    pooler_us: float = 0.0
    commits: int = 0
    log: float = 0.0
    first: float = 0.0
    packed: float = 0.0
    expiring: int = 0
    document: str = SIZING


CALLS = {
    "bearer": Call(240, 50, 39, document=PERFORMANCE),
    "dpop": Call(475, 170, 97, 1, 539, 4_872, 5_203, 1, document=PERFORMANCE),
    "refresh": Call(2_563, 1_855, 551, 1, 3_490, 97_907, 39_048, 2),
    "grant": Call(1_872, 911, 395, 1, 2_287, 26_395, 13_467, 1),
    "tokens": Call(2_361, 1_231, 401, 1, 2_129, 58_852, 30_060, 2),
    "revoke": Call(1_568, 860, 279, 1, 2_022, 62_498, 24_712, 1),
}


@dataclass(frozen=True)
class Row:
    """Bytes of a row in its table and in its indexes, when they are new."""

    table: float
    indexes: float

    @property
    def bytes(self) -> float:
        """Of both."""
        return self.table + self.indexes


ROWS = {
    "grant": Row(187, 301),
    "accesstoken": Row(218, 374),
    "refreshtoken": Row(222, 408),
    "grantevent": Row(149, 468),
    "usedproof": Row(86, 121),
}


@dataclass(frozen=True)
class Point:
    """A row of performance.md's table: closed load of eight connections, one worker."""

    name: str
    call: Call
    rate: float
    p50: float
    p99: float


POINTS = (
    Point("bearer QUERY", CALLS["bearer"], 4_138, 1.9, 3.7),
    Point("DPoP QUERY", CALLS["dpop"], 2_073, 3.8, 6.7),
    Point("bare Django view", Call(145, 0), 6_790, 1.2, 2.1),
    Point("stock DRF view, one ORM get", Call(805, 105), 1_229, 6.4, 10.8),
    Point("django-oauth-toolkit, introspection", Call(2_250, 545), 444, 17.8, 26.4),
)
CALLERS = 8

COMMIT = Figure(0.382, PERFORMANCE, "waits 496 µs")
"""Milliseconds that a commit waits for the disk: 496 µs, of which 114 are not the wait."""
QUERY_READS = Figure(520, PERFORMANCE, "those of a QUERY have 5.2")
"""Bytes of a grant that a QUERY reads, with the indexes: 5.2 GB of 10,000,000 grants."""
WORKER = Figure(20, PERFORMANCE, "of a worker is 20 MiB")
PURGE_PACED = Figure(1_360, SIZING, "1,360 rows a second")
PURGE_FULL = Figure(7_500, SIZING, "7,500 rows a second")
"""Used proofs a second: the medians of runs beside other work."""

PURGE_BATCH = 500
PURGE_EVERY = 600
"""Seconds between two purges by themselves: the default of `PURGE_EVERY_MINUTES`."""
PROOF_LIVES = 120
"""Seconds in which a proof could be shown again, by default."""
