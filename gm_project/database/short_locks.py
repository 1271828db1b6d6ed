"""A migration waits only a little for a lock: who comes after it waits behind it.

A table that a long transaction reads cannot be altered, and every call that needs the table queues
behind whoever waits to alter it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import connections

WAIT: Final = 2
"""Seconds."""


@contextmanager
def short_locks(alias: str) -> Iterator[None]:
    """In this context no atomic migration waits longer for a lock; it fails then (55P03).

    One that is not atomic makes indexes concurrently: it waits for transactions, and nobody for it.
    The setting is the transaction's, which a pooler hands to nobody else.
    """
    connection = connections[alias]
    usual: Any = connection.SchemaEditorClass
    if connection.vendor == "postgresql":
        connection.SchemaEditorClass = _bounded(usual)
    try:
        yield
    finally:
        connection.SchemaEditorClass = usual


def _bounded(usual: Any) -> Any:
    class Bounded(usual):  # type: ignore[misc]
        def __enter__(self) -> Any:
            entered = super().__enter__()
            if self.atomic_migration and not self.collect_sql:
                self.execute(f"SET LOCAL lock_timeout = '{WAIT}s'")
            return entered

    return Bounded
