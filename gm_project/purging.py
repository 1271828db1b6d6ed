"""The purge that runs by itself: in a thread of each worker, in one of them at a time.

`PURGE_EVERY_MINUTES` says how often; 0 turns it off. A row (`PurgeRun`) says which process may
purge, and keeps when the last purge ended, whoever ran it: a worker or `purge_expired`. The thread
has a connection of its own, which it closes after each purge. It ends with its process, at any
point: a batch is one transaction, and another process goes on when the claim ends.
"""

import random
import threading
import time
from contextlib import nullcontext
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connections

from gm_project.database.timeouts import are_in_force
from grant_management.db import apart, clock, primary
from grant_management.db.failures import settle, tell
from grant_management.db.postgresql.longer import longer_statements
from grant_management.db.write_slots import uncounted
from grant_management.models import PurgeRun
from grant_management.models.daily_count import LONGEST
from grant_management.models.purge import purge_all
from grant_management.models.purge_run import LEASE

BATCH_SIZES: Final = {"postgresql": 500, "sqlite": 50}
"""Rows of a batch. SQLite has one writer at a time, so there a batch ends within milliseconds."""
PAUSES: Final = {"postgresql": 4, "sqlite": 5}
"""A batch is followed by a pause of this many times its duration: calls get the rest."""
LEAST_PAUSE: Final = 0.05
"""Seconds. Whoever waits for SQLite's lock looks again only after some milliseconds."""
LOOKS: Final = 4
"""A process looks this often in the time between two purges whether one is due."""


def start() -> None:
    """Purge from now on, in a daemon thread; do nothing where the setting is 0."""
    every = timedelta(minutes=settings.PURGE_EVERY_MINUTES)
    if every:
        threading.Thread(target=_purge_for_ever, args=(every,), name="purge", daemon=True).start()


def _purge_for_ever(every: timedelta) -> None:
    """Look now and then; at differing times, so that the workers do not all look at once."""
    pause = every.total_seconds() / LOOKS
    time.sleep(min(pause, 60) * random.random())  # noqa: S311 - no secret
    while True:
        purge_if_due(every)
        time.sleep(pause * random.uniform(0.75, 1.25))  # noqa: S311 - no secret


def purge_if_due(every: timedelta) -> bool:
    """Purge if the last purge ended `every` ago and no other process purges; whether it ended here.

    An error is logged as one line. Then the purge is tried again when the claim has ended. Where
    services live apart, each database is purged by itself.
    """
    ended = [_purge_of(alias, every) for alias in apart.databases()]
    return all(ended)


def _purge_of(alias: str, every: timedelta) -> bool:
    try:
        holder = uuid4()
        with uncounted(), apart.database(alias):
            return PurgeRun.objects.claim(holder, every) and _purge_without_haste(holder)
    except Exception as error:  # noqa: BLE001 - the thread must go on, whatever failed
        tell(error, settle(error), "The purge")
        return False
    finally:
        connections.close_all()


def _purge_without_haste(holder: UUID) -> bool:
    """Purge, with time for long statements where the project itself bounded those of requests."""
    connection = primary.connection()
    bounded = are_in_force(connection.settings_dict)
    with longer_statements(connection, LONGEST) if bounded else nullcontext():
        return _purge(holder)


def _purge(holder: UUID) -> bool:
    """Purge in small batches with pauses; False: another process has claimed it meanwhile."""
    thorough = PurgeRun.objects.latest_run().is_thorough_due(clock.now())
    size, pauses = (by_vendor[primary.connection().vendor] for by_vendor in (BATCH_SIZES, PAUSES))
    began = renewed = time.monotonic()
    for _batch in purge_all(size, thorough=thorough):
        if time.monotonic() - renewed > LEASE.total_seconds() / 4:
            if not PurgeRun.objects.renew(holder):
                return False
            renewed = time.monotonic()
        time.sleep(max(LEAST_PAUSE, pauses * (time.monotonic() - began)))
        began = time.monotonic()
    return True
