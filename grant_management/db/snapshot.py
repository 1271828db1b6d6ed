"""Reads that see the database at one moment."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from . import replica


@contextmanager
def snapshot() -> Iterator[None]:
    """All reads in this context see the database at one moment; writers do not wait.

    Inside a caller's transaction it does nothing.
    """
    connection = replica.connection()
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "sqlite":
        # Not `atomic`: a project may configure it to take the write lock at BEGIN.
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
    else:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
