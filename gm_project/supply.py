"""Hands out a fixed number of things, such as slots, one caller each; the others wait in line."""

import contextlib
import time
from collections.abc import Iterable
from queue import Empty, SimpleQueue
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


class Supply(Generic[T]):
    """What is free now."""

    def __init__(self, things: Iterable[T]) -> None:
        self._free: SimpleQueue[T] = SimpleQueue()
        for one in things:
            self._free.put(one)
        self._taken = 0
        """How often one was taken."""
        self._stuck = -1
        """What `_taken` was when somebody waited in vain."""

    def take(self) -> T:
        """One of them. NoneLeft: those who have one are stuck, such as on a frozen database.

        Then the next callers are refused at once, until somebody gets one again.
        """
        with contextlib.suppress(Empty):
            return self._one(0)
        if self._stuck == self._taken:
            raise NoneLeft
        return self._waited()

    def give_back(self, thing: T) -> None:
        """Let the next caller have it."""
        self._free.put(thing)

    def _waited(self) -> T:
        until, left = time.monotonic() + PATIENCE, STEPS
        while left and time.monotonic() < until:
            seen = self._taken
            with contextlib.suppress(Empty):
                return self._one(STEP)
            left = left - 1 if seen == self._taken else STEPS
        if not left:
            self._stuck = self._taken
        raise NoneLeft

    def _one(self, seconds: float) -> T:
        thing = self._free.get(timeout=seconds)
        self._taken += 1
        return thing
