"""What workers tell the main process, by memory that they share: that they run, and how busy."""

import ctypes
import multiprocessing
import time
from collections.abc import Callable
from typing import Any, Final

BEAT: Final = 1.0
"""Seconds between two beats of a worker."""


class Beats:
    """A slot of shared memory for each worker: when it beat last (monotonic seconds, which all
    processes share; 0: not yet), and how many requests it has answered.
    """

    def __init__(self, workers: int) -> None:
        self._times = multiprocessing.RawArray(ctypes.c_double, workers)
        self._requests = multiprocessing.RawArray(ctypes.c_ulonglong, workers)
        self._draining = multiprocessing.RawValue(ctypes.c_bool, False)

    def drain(self) -> None:
        """The server is about to end: its workers say so to load balancers, and go on."""
        self._draining.value = True

    @property
    def are_draining(self) -> bool:
        """Whether the server is about to end."""
        return bool(self._draining.value)

    def reset(self, slot: int) -> None:
        """For a new worker."""
        self._times[slot], self._requests[slot] = 0.0, 0

    def beat(self, slot: int) -> None:
        """The worker runs: its interpreter gave this thread its turn."""
        self._times[slot] = time.monotonic()

    def last(self, slot: int) -> float:
        """When the worker beat last; 0: not yet."""
        return self._times[slot]

    def answered(self, slot: int) -> int:
        """Requests that the worker has answered."""
        return self._requests[slot]

    def counting(self, slot: int, application: Callable[..., Any]) -> Callable[..., Any]:
        """The WSGI application; each request counts. Two threads may count one together."""
        requests = self._requests

        def counted(environ: Any, start_response: Any) -> Any:
            requests[slot] += 1
            return application(environ, start_response)

        return counted
