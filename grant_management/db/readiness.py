"""What the last probe of the database found. It is asked at most once a second, by one thread."""

import threading
import time
from datetime import datetime
from typing import Final

from .probe import DATABASE, Failing, Probe

KEPT_FOR: Final = 1.0
"""Seconds that an answer is used again."""
PATIENCE: Final = 2.0
"""Seconds until a database that has not answered counts as failing."""


class Readiness:
    """Remembers the answer of a probe, and bounds the time that callers wait for a new one.

    A question runs in a thread of its own, so that no request waits longer than `patience` seconds
    for the database. While it runs, other callers get the answer before it at once.
    """

    def __init__(self, probe: Probe, patience: float = PATIENCE) -> None:
        self._probe = probe
        self._patience = patience
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None
        self._known: Failing = (DATABASE,)  # nobody has asked yet
        self._fresh_until = 0.0

    def failing(self) -> Failing:
        """The words for what fails (`db.probe`); () where all is well."""
        asking = self._start_asking()
        if asking is not None:
            asking.join(self._patience)
            if asking.is_alive():
                self._learn((DATABASE,))
                self._probe.abort()
        return self._known

    @property
    def last_purge(self) -> datetime | None:
        """When the last purge ended, as of the last question; None: unknown, or there was none."""
        return self._probe.last_purge

    def _start_asking(self) -> threading.Thread | None:
        """The thread that asks; None: the known answer is fresh, or somebody else waits for one."""
        with self._lock:
            is_asked = self._asking is not None and self._asking.is_alive()
            if is_asked or time.monotonic() < self._fresh_until:
                return None
            # A daemon: a database that does not answer must not keep this process from ending.
            self._asking = threading.Thread(target=self._ask, daemon=True)
            self._asking.start()
            return self._asking

    def _ask(self) -> None:
        self._learn(self._probe.ask())

    def _learn(self, failing: Failing) -> None:
        self._known = failing
        self._fresh_until = time.monotonic() + KEPT_FOR
