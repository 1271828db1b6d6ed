"""Measures how long there was no success: some threads for each server and kind of call."""

import contextlib
import itertools
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from chaos.wire import Answer, Caller

from .place import Call, Place

PAUSE: Final = 0.05
"""Seconds between two calls of a thread."""
THREADS: Final = 3
"""For each server and kind of call: one that waits for an answer must not hide that others come."""


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
        times = [begin, *sorted(one for one in self.done if begin <= one <= end), end]
        return max(after - before for before, after in itertools.pairwise(times))


class Gauge:
    """Calls each server all the time, from `__enter__` to `__exit__`."""

    def __init__(self, place: Place) -> None:
        self._stop = threading.Event()
        self.lines: list[Line] = []
        self._threads: list[threading.Thread] = []
        for port in place.ports:
            self._add("reads", [place.reads(port) for _ in range(THREADS)])
            self._add("writes", [place.writes(port) for _ in range(THREADS)])

    def gap(self, kind: str, begin: float, end: float) -> float:
        """The longest time without a success: of several servers the longest one."""
        return max(line.gap(begin, end) for line in self.lines if line.kind == kind)

    def succeeded(self, kind: str, begin: float, end: float) -> bool:
        """Whether any call succeeded between two moments."""
        times = (one for line in self.lines if line.kind == kind for one in line.done)
        return any(begin < one < end for one in times)

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

    def _add(self, kind: str, probes: list[tuple[Caller, Call]]) -> None:
        line = Line(kind)
        self.lines.append(line)
        for caller, call in probes:
            work = partial(self._run, line, caller, call)
            self._threads.append(threading.Thread(target=work, daemon=True))

    def _run(self, line: Line, caller: Caller, call: Call) -> None:
        with contextlib.closing(caller):
            while not self._stop.wait(PAUSE):
                _note(line, call())


def _note(line: Line, answer: Answer) -> None:
    if answer.done:
        line.done.append(time.monotonic())
    else:
        line.codes.add(answer.code)
