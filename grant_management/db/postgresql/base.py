"""The backend's `DatabaseWrapper`, where Django looks for it."""

from collections import defaultdict
from types import SimpleNamespace
from typing import Any, Final

import psycopg
from django.db import OperationalError
from django.db.backends.postgresql import base

from ...protocol.results import Result
from ..failures import classify
from .bounded import Connection
from .breaker import Breaker

BREAKERS: Final = defaultdict[str, Breaker](Breaker)
"""The breaker of each alias, for all threads of this process."""


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


def _is_away(error: OperationalError) -> bool:
    """Not where the database refuses one connection too many: then it is there."""
    return classify(error).result is Result.DATABASE_AWAY
