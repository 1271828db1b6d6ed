"""A bound on how long any work takes, even where a server sends one byte at a time."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

from .verdict import Failure

Value = TypeVar("Value")


def within(seconds: float, what: str, work: Callable[[], Value]) -> Value:
    """What the work returns or raises. Failure: it takes longer than `seconds`; it is abandoned.

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
        raise Failure(f"{what} did not end within {seconds:g} seconds") from None


def _settle(result: Future[Value], work: Callable[[], Value]) -> None:
    try:
        result.set_result(work())
    except BaseException as error:  # noqa: BLE001 - it is raised where the result is awaited
        result.set_exception(error)
