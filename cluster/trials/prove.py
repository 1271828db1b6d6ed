"""Shows that the trials can fail: in clusters that the documents advise against.

Without synchronous replication an acknowledged write is lost with the primary. A URL with all nodes
goes on with a primary whose Patroni is stuck; whether that shows depends on which node is the
primary, so its row is for reading alone.
"""

from collections.abc import Iterator

from . import trial
from .faults import AheadAndKilled, PatroniFrozen
from .place import Place
from .trial import Row


def prove(place: Place) -> Iterator[tuple[Row, str]]:
    """The row of each trial, and what it had to show and did not; "": it showed it."""
    place.take("hosts")
    yield trial.run(place, PatroniFrozen(), timed=False), ""
    place.take("haproxy")
    place.cluster.acknowledge_alone()
    row = trial.run(place, AheadAndKilled(), timed=False)
    yield row, "" if row.lost else "no loss was seen without synchronous replication"
