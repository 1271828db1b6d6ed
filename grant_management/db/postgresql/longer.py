"""Lets the statements of a page take longer than those of the API, on the same connections."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import DatabaseError, InterfaceError

MARGIN: Final = 2
"""Seconds that an answer may take beyond the server's own timeout."""
_RAISE: Final = """
SELECT set_config('statement_timeout', %s, true) FROM pg_settings
WHERE name = 'statement_timeout' AND setting::integer BETWEEN 1 AND %s
"""
"""A setting of the transaction, where it was shorter (0: there was none)."""


@contextmanager
def longer_statements(connection: Any, seconds: int) -> Iterator[None]:
    """In this context a statement may take `seconds`. Not for a pooler in transaction mode, where
    another client's statements would meet the setting.

    If the database is away it does nothing: whatever comes next reports that.
    """
    with contextlib.suppress(DatabaseError, InterfaceError):
        _run(connection, f"SET statement_timeout = {seconds * 1_000:d}", seconds + MARGIN)
    try:
        yield
    finally:
        _restore(connection)


@contextmanager
def longer_in_transaction(connection: Any, seconds: int) -> Iterator[None]:
    """In this context, within a transaction, a statement may take at least `seconds`. The setting
    ends with the transaction, so that no other client of a pooler meets it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_RAISE, [f"{seconds}s", seconds * 1_000])
    driver = connection.connection
    usual = getattr(driver, "answer_timeout", None)
    if usual is None:  # it waits for as long as it takes
        yield
        return
    driver.answer_timeout = max(usual, seconds + MARGIN)
    try:
        yield
    finally:
        driver.answer_timeout = usual


def _restore(connection: Any) -> None:
    """Back to what the connection began with, or no connection any more."""
    if connection.connection is None:
        return
    usual = connection.settings_dict["OPTIONS"].get("answer_timeout")
    try:
        _run(connection, "RESET statement_timeout", usual)
    except (DatabaseError, InterfaceError):
        connection.close()


def _run(connection: Any, sql: str, answer_timeout: float | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
    connection.connection.answer_timeout = answer_timeout
