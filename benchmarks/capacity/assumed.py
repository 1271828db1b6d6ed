"""What is assumed: the traffic, the machines and their prices. Every value is an option.

`run.py bench sizing --NAME VALUE` sets one. Bytes are decimal, and times are in seconds.
"""

from dataclasses import dataclass, field
from typing import Any

DAY = 86_400

MIX = {
    "bearer": 0.757,
    "dpop": 0.20,
    "refresh": 0.04,
    "grant": 0.0013,
    "tokens": 0.0013,
    "revoke": 0.0004,
}
"""The share of each call."""


def given(value: float, what: str) -> Any:
    """A field with this value, and what it is: the option's help, and a row of the document."""
    return field(default=value, metadata={"what": what})


@dataclass(frozen=True)
class Demand:
    """What is asked of the system."""

    grants: float
    calls: float
    mix: dict[str, float] = field(default_factory=lambda: dict(MIX))
    access_lives: float = given(3_600, "s, until an access token expires")
    refresh_lives: float = given(
        30 * DAY, "s, until a refresh token expires; one that was rotated is kept until then"
    )
    runs: float = given(365 * DAY, "s, since the first call: a grant that has ended is kept")
    events_kept: float = given(365 * DAY, "s, `EVENT_RETENTION_DAYS`")

    def rate(self, *kinds: str) -> float:
        """Calls of these kinds a second."""
        return sum(self.calls * self.mix[kind] for kind in kinds)


@dataclass(frozen=True)
class Machine:
    """A node of PostgreSQL, and how far it is filled."""

    planned: float = given(0.5, "the share of any part that is planned for: tails grow beyond")
    cores: int = given(16, "cores of a node of PostgreSQL at most")
    disk: float = given(4e12, "bytes of its disk")
    log: float = given(200e6, "bytes/s of the write-ahead log that it sends to its standbys")
    copy: float = given(400e6, "bytes/s at which data files are copied to another machine")
    replay: float = given(100e6, "bytes/s of the log that a restore replays")
    backup: float = given(DAY, "s, between two base backups")
    checkpoint: float = given(900, "s, between two checkpoints (`checkpoint_timeout`)")
    compressed: int = given(1, "1 with `wal_compression`, 0 without")
    commit_ms: float = given(2.0, "ms, until a commit is on a standby's disk")
    sessions: int = given(160, "sessions of PostgreSQL: four in five of `max_connections`")
    copies: int = given(3, "of the data: a primary and its standbys")
    bloat: float = given(1.3, "times as large as new tables and indexes are, once they are used")
    in_use: float = given(0.2, "the share of the grants that are asked about within an hour")


@dataclass(frozen=True)
class Prices:
    """What a month costs. No prices: examples."""

    core: float = given(20.0, "an example: a core")
    memory: float = given(3.0, "an example: a GB of memory")
    disk: float = given(0.1, "an example: a GB of disk")

    def of(self, cores: float, memory: float, disk: float) -> float:
        """The price of a month; memory and disk in GB."""
        return cores * self.core + memory * self.memory + disk * self.disk
