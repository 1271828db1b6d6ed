"""Measures how long there was no success: a thread for each server and kind of call."""

import contextlib
import itertools
import threading
import time
from dataclasses import dataclass, field
from typing import Final

from chaos.wire import Answer, Caller

from .place import Call, Place

PAUSE: Final = 0.03
"""Seconds between two calls."""


@dataclass
class Line:
    """The calls of one kind to one server: when they succeeded, and the codes of those that did
    not. Times are of the monotonic clock, in seconds.
    """

    kind: str
    done: list[float] = field(default_factory=list)
    codes: set[str] = field(default_factory=set)

    def gap(self, begin: float, end: float) -> float:
        """The longest time without a success between two moments."""
        times = [begin, *(one for one in self.done if begin <= one <= end), end]
        return max(after - before for before, after in itertools.pairwise(times))


class Gauge:
    """Calls each server all the time, from `__enter__` to `__exit__`."""

    def __init__(self, place: Place) -> None:
        self._stop = threading.Event()
        self.lines: list[Line] = []
        self._threads: list[threading.Thread] = []
        for port in place.ports:
            self._add("reads", *place.reads(port))
            self._add("writes", *place.writes(port))

    def gap(self, kind: str, begin: float, end: float) -> float:
        """The longest time without a success: of several servers the longest one."""
        return max(line.gap(begin, end) for line in self.lines if line.kind == kind)

    def codes(self, kind: str) -> set[str]:
        """How calls of that kind failed: result codes, or what came instead of an answer."""
        return {code for line in self.lines if line.kind == kind for code in line.codes}

    def __enter__(self) -> "Gauge":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _add(self, kind: str, caller: Caller, call: Call) -> None:
        line = Line(kind)
        self.lines.append(line)

        def run() -> None:
            with contextlib.closing(caller):
                while not self._stop.wait(PAUSE):
                    _note(line, call())

        self._threads.append(threading.Thread(target=run, daemon=True))


def _note(line: Line, answer: Answer) -> None:
    if answer.done:
        line.done.append(time.monotonic())
    else:
        line.codes.add(answer.code)
