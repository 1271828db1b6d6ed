"""Again from the start, where the database broke an operation off because of another one."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from django.db import DatabaseError

from .primary import connection

P = ParamSpec("P")
T = TypeVar("T")

RETRIES: Final = 3
CONFLICTS: Final = frozenset({"40P01", "40001"})
"""deadlock_detected and serialization_failure, PostgreSQL's Appendix A."""


def sqlstate(error: BaseException) -> str:
    """The SQLSTATE of a database's error, by whatever driver; "" where there is none."""
    cause: Any = error.__cause__ or error
    return getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None) or ""


def retried(operation: Callable[P, T]) -> Callable[P, T]:
    """An operation with its own transaction, tried again after a conflict: at most three times.

    Inside a transaction of the caller it is tried once, since that one has to begin again.
    """

    @wraps(operation)
    def attempt(*args: P.args, **kwargs: P.kwargs) -> T:
        left = 0 if connection().in_atomic_block else RETRIES
        while True:
            try:
                return operation(*args, **kwargs)
            except DatabaseError as error:
                if left == 0 or sqlstate(error) not in CONFLICTS:
                    raise
                left -= 1

    return attempt
