"""Supervision of workers: replaced when they die, when they hang, and one by one when told to.

granian's own loop ends the server where a worker dies twice within seconds, sees no worker that
hangs, and replaces workers one after the other while nobody watches the rest. Here one loop looks
at all of them every `TICK` seconds; nothing in it waits for a worker.
"""

import logging
import multiprocessing
import os
import random
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from granian.server import Server

from gm_project.serving.beats import Beats
from gm_project.serving.notify import notify, watchdog_interval
from gm_project.serving.worker import GRACE, begin

log = logging.getLogger(__name__)

TICK: Final = 0.2
"""Seconds between two looks at the workers."""
HANGS_AFTER: Final = 15.0
"""Seconds without a beat after which a worker hangs. A busy machine may delay a beat by seconds."""
STARTS_WITHIN: Final = 60.0
"""Seconds that a worker has to load the application, before its first beat."""
LONGEST_PAUSE: Final = 5.0
"""Seconds before a worker is started that has just died again and again."""
JITTER: Final = 0.2
"""Part of a limit by which each worker's own is larger, so that they do not end together."""


@dataclass(frozen=True)
class Limits:
    """When a worker is replaced although it is well; 0: never."""

    requests: int = 0
    mebibytes: int = 0


@dataclass
class _Seat:
    """One of the places for workers, whoever has it."""

    started: float
    pause: float = 0.0
    """Seconds before the next start: grows where worker after worker dies at once."""
    starts_at: float = 0.0
    """When a new worker is to be started; 0: there is one."""
    factor: float = 1.0
    """Of the limits: its jitter."""


class SupervisedServer(Server):  # type: ignore[misc,valid-type] # it is another class on each system
    """A granian server that watches its workers."""

    limits = Limits()
    drains_for: float = 0.0
    """Seconds between the word that the server ends (`/readyz` is 503) and its end."""
    deadline: float
    """Seconds after which a silent connection is closed."""
    listener: socket.socket
    reload_signal: bool
    _renewed: tuple[int, Any] | None = None
    """The place whose worker has a successor that is not at work yet, and that worker."""

    def _spawn_worker(self, idx: int, target: Any, callback_loader: Any) -> Any:
        if not hasattr(self, "beats"):
            self.beats = Beats(self.workers)
        self.beats.reset(idx)
        told, tell = multiprocessing.Pipe(duplex=False)
        of_worker = (self.beats, idx, told, self.listener, self.deadline)
        loader = partial(begin, callback_loader, *of_worker)
        worker = super()._spawn_worker(idx=idx, target=target, callback_loader=loader)
        worker.told, worker.tell = told, tell  # both stay open as long as the worker is known
        return worker

    def _serve_loop(self, spawn_target: Any, target_loader: Any) -> None:
        now = time.monotonic()
        spawn = partial(self._spawn_worker, target=spawn_target, callback_loader=target_loader)
        self._seats = [_Seat(now, factor=_factor()) for _ in self.wrks]
        self._leaving: list[tuple[Any, float]] = []
        self._to_renew: deque[int] = deque()
        self._looked, self._told, self._is_ready = now, now, False
        self._interval = watchdog_interval()
        while not self.interrupt_signal:
            self.main_loop_interrupt.wait(TICK)
            self.main_loop_interrupt.clear()
            self.interrupt_children.clear()
            if not self.interrupt_signal:
                self._look(spawn)
        notify("STOPPING=1")
        if self.drains_for:
            self.beats.drain()
            time.sleep(self.drains_for)
        self.wrks += [worker for worker, _ in self._leaving]

    def _look(self, spawn: Callable[..., Any]) -> None:
        """Once at everything."""
        now = time.monotonic()
        late, self._looked = now - self._looked > HANGS_AFTER / 2, now
        for slot in range(self.workers):
            self._replace_dead(slot, now, spawn)
            if late:  # this process was stopped, and so may the workers have been
                self._seats[slot].started = max(self._seats[slot].started, now)
            elif self._hangs(slot, now):
                log.warning("Worker %d hangs: it is replaced.", slot + 1)
                self.wrks[slot].kill()
            elif self._is_worn_out(slot) and slot not in self._to_renew:
                self._to_renew.append(slot)
        if self.reload_signal:
            self.reload_signal = False
            self._to_renew = deque(range(self.workers))
        self._renew(now, spawn)
        self._see_off(now)
        self._tell(now)

    def _tell(self, now: float) -> None:
        """Systemd hears once that all workers answer, and then that this loop runs."""
        if not self._is_ready and all(map(self.beats.last, range(self.workers))):
            self._is_ready = True
            notify("READY=1")
        if self._interval is not None and now - self._told >= self._interval:
            self._told = now
            notify("WATCHDOG=1")

    def _replace_dead(self, slot: int, now: float, spawn: Callable[..., Any]) -> None:
        """A worker that died is replaced at once, unless it died as soon as it was there."""
        seat = self._seats[slot]
        if self.wrks[slot].is_alive():
            return
        if not seat.starts_at:
            was_short = now - seat.started < LONGEST_PAUSE
            seat.pause = min(max(2 * seat.pause, TICK), LONGEST_PAUSE) if was_short else 0.0
            seat.starts_at = now + seat.pause
            log.warning("Worker %d ended: another one starts in %.1f s.", slot + 1, seat.pause)
        if now >= seat.starts_at:
            self._start(slot, now, spawn)

    def _start(self, slot: int, now: float, spawn: Callable[..., Any]) -> None:
        seat = self._seats[slot]
        self.wrks[slot] = worker = spawn(idx=slot)
        worker.start()
        seat.started, seat.starts_at, seat.factor = now, 0.0, _factor()

    def _hangs(self, slot: int, now: float) -> bool:
        last, started = self.beats.last(slot), self._seats[slot].started
        silent_for = now - max(last, started)
        return silent_for > (HANGS_AFTER if last else STARTS_WITHIN)

    def _is_worn_out(self, slot: int) -> bool:
        limits, factor = self.limits, self._seats[slot].factor
        if self._renewed is not None and self._renewed[0] == slot:
            return False
        if limits.requests and self.beats.answered(slot) > limits.requests * factor:
            return True
        return bool(limits.mebibytes) and _resident(self.wrks[slot]) > limits.mebibytes * factor

    def _renew(self, now: float, spawn: Callable[..., Any]) -> None:
        """The next worker to be replaced, once the one before has its successor at work."""
        if self._renewed is None and self._to_renew:
            slot = self._to_renew.popleft()
            self._renewed = (slot, self.wrks[slot])
            self._start(slot, now, spawn)
        elif self._renewed is not None and self.beats.last(self._renewed[0]):
            _, old = self._renewed
            _tell_to_leave(old)
            self._leaving.append((old, now + GRACE))
            self._renewed = None

    def _see_off(self, now: float) -> None:
        """Those that were told to end, and take too long."""
        for worker, until in self._leaving:
            if worker.is_alive() and now > until:
                worker.kill()
        self._leaving = [one for one in self._leaving if one[0].is_alive()]

    def _stop_workers(self) -> None:
        """By now granian has closed the main process's listening socket.

        Workers that are just starting leave when they have started.
        """
        if self._renewed is not None:
            self.wrks.append(self._renewed[1])
        for worker in self.wrks:
            _tell_to_leave(worker)
        until = time.monotonic() + GRACE
        while any(worker.is_alive() for worker in self.wrks) and time.monotonic() < until:
            time.sleep(TICK / 4)
        if late := [worker for worker in self.wrks if worker.is_alive()]:
            log.warning("Ending calls that took more than %.0f seconds.", GRACE)
        for worker in late:
            worker.kill()
        super()._stop_workers()


def _tell_to_leave(worker: Any) -> None:
    """It takes no new connections, finishes what it has, and ends (`serving.leaving`)."""
    worker.interrupt_by_parent = True  # its end is no surprise to granian
    worker.tell.send_bytes(b"leave")


def _factor() -> float:
    return 1.0 + random.random() * JITTER  # noqa: S311 - no secret


def _resident(worker: Any) -> float:
    """MiB of a process that are in memory; 0 where the system does not say."""
    try:
        pages = int(Path(f"/proc/{worker.inner.pid}/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_048_576
