"""A bound on how long any work takes, even where a server sends one byte at a time."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import Final, TypeVar

from .verdict import Failure, Late

MOST: Final = 3
"""How often in a row something may be late, before nobody waits for it any more."""

Value = TypeVar("Value")


def within(seconds: float, what: str, work: Callable[[], Value]) -> Value:
    """What the work returns or raises. Late: it takes longer than `seconds`; it is abandoned.

    `what` names the work in the message.
    """
    result: Future[Value] = Future()
    # The interpreter does not wait for a daemon thread when it exits.
    Thread(target=_settle, args=(result, work), daemon=True).start()
    try:
        return result.result(seconds)
    except TimeoutError:
        if result.done():  # the work itself raised it
            raise
        raise Late(f"{what} did not end within {seconds:g} seconds") from None


class Patience:
    """Bounds how long a whole run waits for something that is always late."""

    def __init__(self, who: str) -> None:
        self._who = who
        self._late = 0

    def ask(self, work: Callable[[], Value]) -> Value:
        """What the work returns or raises. Failure: it was late `MOST` times in a row before."""
        if self._late >= MOST:
            raise Failure(
                f"{self._who} was not asked: it had been late {MOST} times in a row",
                "Answer in time. Then the checks that follow are made too.",
            )
        try:
            value = work()
        except Late:
            self._late += 1
            raise
        self._late = 0
        return value


def _settle(result: Future[Value], work: Callable[[], Value]) -> None:
    try:
        result.set_result(work())
    except BaseException as error:  # noqa: BLE001 - it is raised where the result is awaited
        result.set_exception(error)
