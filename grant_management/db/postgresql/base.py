"""The backend's `DatabaseWrapper`, where Django looks for it."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Final

import psycopg
from django.db import OperationalError
from django.db.backends.postgresql import base

from ...protocol.results import Result
from ..commits import OutcomeUnknown
from ..failures import classify
from .bounded import Connection, NoAnswer
from .breaker import Breaker
from .commit_gate import CommitGate

BREAKERS: Final = defaultdict[str, Breaker](Breaker)
"""The breaker of each alias, for all threads of this process."""
GATES: Final = defaultdict[str, CommitGate](CommitGate)
"""The gate of each alias, for all threads of this process."""


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, with the option `answer_timeout` (seconds; none without it) and a breaker."""

    # Django connects by `Database.connect`, and takes the classes of errors from there.
    Database: Any = SimpleNamespace(**{**vars(psycopg), "connect": Connection.connect})

    def __init__(self, settings_dict: dict[str, Any], alias: str = "default") -> None:
        super().__init__(settings_dict, alias)
        options = settings_dict["OPTIONS"]
        if options.get("pool"):
            pool = {} if options["pool"] is True else options["pool"]
            options["pool"] = {"connection_class": Connection, **pool}

    def connect(self) -> None:
        """Connect. CircuitOpen, at once: the last attempt of this process has just failed."""
        with BREAKERS[self.alias].attempt(_is_away), self.wrap_database_errors:
            super().connect()

    def check_commits(self) -> None:
        """Called before a transaction that writes. NoStandby: it would wait in vain."""
        GATES[self.alias].check(self)

    @contextmanager
    def committing(self) -> Iterator[None]:
        """Around a commit, or a statement that commits itself.

        OutcomeUnknown: the connection was lost, or closed since no answer came.
        """
        try:
            yield
        except OperationalError as error:
            if isinstance(error.__cause__, NoAnswer):
                GATES[self.alias].shut()
            if not _is_lost(self.connection):
                raise
            raise OutcomeUnknown("the connection ended during a commit") from error

    def _commit(self) -> None:
        with self.committing():
            super()._commit()  # type: ignore[misc]


def _is_lost(driver: Any) -> bool:
    return driver is not None and (driver.closed or driver.broken)


def _is_away(error: OperationalError) -> bool:
    """Not where the database refuses one connection too many: then it is there."""
    return classify(error).result is Result.DATABASE_AWAY
