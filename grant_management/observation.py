"""What happens below the API, for whoever counts it: one observer at the most.

Without an observer each place costs a test of None, and nothing of this is on the way of a QUERY.
"""

import time
from collections.abc import Callable
from typing import Any, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Observer(Protocol):
    """What is told. No argument is a value of a request."""

    def failed(self, kind: str) -> None:
        """The database failed, in one of the ways of `db.failures`."""

    def retried(self) -> None:
        """A transaction is tried again after a conflict."""

    def locked(self, seconds: float) -> None:
        """A statement got its row locks, or failed to, after so many seconds."""

    def refused(self, code: str) -> None:
        """The server refused a request before the app saw it, as it was too busy."""

    def attempted(self, to: str, outcome: str, *, is_dead: bool) -> None:
        """An attempt to send to a `webhook` or a `stream` ended. `is_dead`: it was given up."""


observer: Observer | None = None


def observe(one: Observer | None) -> None:
    """Tell this one from now on; None: nobody."""
    global observer
    observer = one


def timing_locks(run: Callable[P, T]) -> Callable[P, T]:
    """The function, which locks rows; the observer is told how long it took."""

    def timed(*args: P.args, **kwargs: P.kwargs) -> T:
        told: Any = observer
        if told is None:
            return run(*args, **kwargs)
        began = time.perf_counter()
        try:
            return run(*args, **kwargs)
        finally:
            told.locked(time.perf_counter() - began)

    return timed
