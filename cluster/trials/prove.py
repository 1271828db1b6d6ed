"""Shows that the trials can fail: two clusters that the documents advise against.

A host's URL with all nodes goes on with a primary whose Patroni is stuck; without synchronous
replication an acknowledged write is lost with the primary.
"""

from collections.abc import Iterator

from . import trial
from .faults import AheadAndKilled, PatroniFrozen
from .place import Place
from .trial import Row


def prove(place: Place) -> Iterator[tuple[Row, str]]:
    """The row of each trial, and what it had to show and did not; "": it showed it."""
    place.take("hosts")
    row = trial.run(place, PatroniFrozen(), timed=False)
    yield row, "" if row.stale else "no stale answer was seen on the path of all hosts"
    place.take("haproxy")
    place.cluster.acknowledge_alone()
    row = trial.run(place, AheadAndKilled(), timed=False)
    yield row, "" if row.lost else "no loss was seen without synchronous replication"
