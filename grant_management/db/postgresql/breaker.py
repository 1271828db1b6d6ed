"""A circuit breaker for connecting: a database that is away costs one caller a time-out, not all.

See M. Nygard, Release It!, "Circuit Breaker": it opens after a failure, and half-opens for a trial.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from django.db import OperationalError

FIRST: Final = 0.1
LONGEST: Final = 0.4
"""Seconds between two attempts to connect: the pause doubles from the first to the longest."""


class CircuitOpen(OperationalError):
    """Nothing was tried. The text is that of the last failure, so that it is classified alike."""


class Breaker:
    """Lets everybody through, or, after a failure, one caller at a time after each pause."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._pause = 0.0
        self._closed_from = 0.0
        self._is_tried = False
        self._reason = ""

    @contextmanager
    def attempt(self, is_away: Callable[[OperationalError], bool]) -> Iterator[None]:
        """Around an attempt to connect. CircuitOpen: it may not be made now.

        `is_away` says whether an error means that the database cannot be reached.
        """
        trial = self._admit()
        reason = None
        try:
            yield
        except OperationalError as error:
            reason = str(error) if is_away(error) else None
            raise
        finally:
            self._note(trial, reason)

    def _admit(self) -> bool:
        """Whether the attempt is a trial: the last one failed."""
        with self._lock:
            if not self._pause:
                return False
            if self._is_tried or self._clock() < self._closed_from:
                raise CircuitOpen(self._reason)
            self._is_tried = True
            return True

    def _note(self, trial: bool, reason: str | None) -> None:
        """Note the outcome of an attempt; `reason` None: the database was reached."""
        with self._lock:
            if trial:
                self._is_tried = False
            if reason is None:
                self._pause = 0.0
                return
            # Attempts that were made together fail together: they count once.
            if trial or not self._pause:
                self._pause = min(2 * self._pause or FIRST, LONGEST)
            self._closed_from, self._reason = self._clock() + self._pause, reason
