"""Bounds the transactions of a process that write, so that some threads are left for reads.

Writes that wait for a lock would otherwise occupy every thread, and the reads, which wait for
nobody, would wait for them.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from django.db import OperationalError

from ..conf import app_settings

PATIENCE: Final = 0.1
"""Seconds that a write waits for another one to end. It occupies a thread that reads need."""


class NoWriteSlot(OperationalError):
    """As many writes as may run at once are running, and none of them ended in time."""


class WriteSlots:
    """Counts the running writes of a process."""

    def __init__(self) -> None:
        self._ended = threading.Condition()
        self._running = 0
        self._waiting = deque[object]()
        self._is_stuck = False

    @contextmanager
    def taken(self, limit: int) -> Iterator[None]:
        """One of `limit` slots, for a write. NoWriteSlot: all are taken, and stay so.

        Once a write waited in vain, the next ones do not wait until another one has ended.
        """
        with self._ended:
            # In the order of their arrival: whoever just ended a write would else be next, too.
            if self._running >= limit or self._waiting:
                self._wait(limit)
            self._running += 1
        try:
            yield
        finally:
            with self._ended:
                self._running -= 1
                self._is_stuck = False
                self._ended.notify_all()

    def _wait(self, limit: int) -> None:
        if self._is_stuck:
            raise NoWriteSlot("too many writes are waiting")
        me = object()
        self._waiting.append(me)
        try:
            if not self._ended.wait_for(lambda: self._is_next(me, limit), PATIENCE):
                self._is_stuck = True
                raise NoWriteSlot("too many writes are waiting")
        finally:
            self._waiting.remove(me)
            self._ended.notify_all()

    def _is_next(self, me: object, limit: int) -> bool:
        return self._running < limit and self._waiting[0] is me


_slots: Final = WriteSlots()
_is_counted: Final = ContextVar("is_counted", default=True)


@contextmanager
def uncounted() -> Iterator[None]:
    """In this context writes need no slot: for a thread of its own, which no read waits for."""
    token = _is_counted.set(False)
    try:
        yield
    finally:
        _is_counted.reset(token)


@contextmanager
def write_slot() -> Iterator[None]:
    """A slot of this process, where `WRITES_AT_ONCE` is set. NoWriteSlot: none became free."""
    limit = app_settings.writes_at_once
    if limit is None or not _is_counted.get():
        yield
        return
    with _slots.taken(limit):
        yield
