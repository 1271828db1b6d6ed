"""Reading ahead: the next batch is read while the database is busy with this one."""

import contextlib
import gc
import sys
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

T = TypeVar("T")

SWITCH: Final = 0.0005
"""Seconds after which a thread that reads lets go of the interpreter. Python's own 5 ms are more
than a statement takes, so that the database would wait."""


def ahead(items: Iterable[T]) -> Generator[T, None, None]:
    """The items (none is None), each made in a thread while the one before it is worked on.

    To be closed by whoever stops early.
    """
    following = iter(items)
    with _for_bulk(), ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, following, None)
        while (item := coming.result()) is not None:
            coming = reader.submit(next, following, None)
            yield item


@contextlib.contextmanager
def _for_bulk() -> Iterator[None]:
    """No search for reference cycles among rows, which are in none: it takes a quarter of the
    time; and threads that take turns more often.
    """
    was_on, interval = gc.isenabled(), sys.getswitchinterval()
    gc.disable()
    sys.setswitchinterval(SWITCH)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
        if was_on:
            gc.enable()
