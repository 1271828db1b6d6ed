"""Hands out a fixed number of things, such as slots, one caller each; the others wait in line."""

import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

PATIENCE: Final = 10.0
"""Seconds that a caller waits. Whoever asked it has given up by then, or will soon."""
STEP: Final = 0.05
"""Seconds of one wait."""
STEPS: Final = 10
"""Those who have one are stuck if nobody got one during so many waits. (Counted in waits: a machine
that stands still for a moment is no reason to refuse a call.)
"""


class NoneLeft(Exception):
    """All are taken, and stay so: try again later."""


class Waiting(Generic[T]):
    """A caller in the line, and what it was handed."""

    def __init__(self) -> None:
        self.things: list[T] = []
        self._handed = threading.Lock()
        self._handed.acquire()

    def hand(self, thing: T) -> None:
        """Wake this caller."""
        self.things.append(thing)
        self._handed.release()

    def is_handed(self, seconds: float) -> bool:
        """Whether it was handed something within so many seconds."""
        return self._handed.acquire(timeout=seconds)


class Supply(Generic[T]):
    """What is free now, and who waits for it: whoever came first is served first."""

    def __init__(self, things: Iterable[T]) -> None:
        self._lock = threading.Lock()
        self._free = deque(things)
        self._line: deque[Waiting[T]] = deque()
        self._taken = 0
        """How often one was taken."""
        self._stuck = -1
        """What `_taken` was when somebody waited in vain."""

    def take(self) -> T:
        """One of them. NoneLeft: those who have one are stuck, such as on a frozen database.

        Then the next callers are refused at once, until somebody gets one again.
        """
        with self._lock:
            if self._free:
                self._taken += 1
                return self._free.popleft()
            if self._stuck == self._taken:
                raise NoneLeft
            waiting: Waiting[T] = Waiting()
            self._line.append(waiting)
        self._wait(waiting)
        return waiting.things[0]

    def give_back(self, thing: T) -> None:
        """Let the next caller have it."""
        with self._lock:
            if not self._line:
                self._free.append(thing)
                return
            self._taken += 1
            self._line.popleft().hand(thing)

    def _wait(self, waiting: Waiting[T]) -> None:
        until, left = time.monotonic() + PATIENCE, STEPS
        while left and time.monotonic() < until:
            seen = self._taken
            if waiting.is_handed(STEP):
                return
            left = left - 1 if seen == self._taken else STEPS
        self._leave(waiting, is_stuck=not left)

    def _leave(self, waiting: Waiting[T], *, is_stuck: bool) -> None:
        """Out of the line, unless something was handed over in the last moment."""
        with self._lock:
            if waiting.things:
                return
            self._line.remove(waiting)
            if is_stuck:
                self._stuck = self._taken
        raise NoneLeft
