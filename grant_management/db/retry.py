"""Repeats an operation that the database aborted because of a concurrent one."""

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from django.db import DatabaseError

from .. import observation
from ..protocol.results import Result
from .failures import classify
from .primary import connection

P = ParamSpec("P")
T = TypeVar("T")

RETRIES: Final = 3


def retried(operation: Callable[P, T]) -> Callable[P, T]:
    """Decorates an operation with its own transaction: after a conflict it is tried again from its
    start, at most `RETRIES` times.

    Inside a caller's transaction it runs once: the caller has to begin that transaction again.
    """

    @wraps(operation)
    def attempt(*args: P.args, **kwargs: P.kwargs) -> T:
        left = 0 if connection().in_atomic_block else RETRIES
        while True:
            try:
                return operation(*args, **kwargs)
            except DatabaseError as error:
                if left == 0 or classify(error).result is not Result.DATABASE_CONFLICT:
                    raise
                left -= 1
                if observation.observer is not None:
                    observation.observer.retried()

    return attempt
