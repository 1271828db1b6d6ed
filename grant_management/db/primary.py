"""The database that this app writes to; it also reads there whatever decides something.

A host's router may send the app to another database than the default, and its reads to a
replica. A replica may not know of a revocation yet, so nothing here reads from one.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from django.apps import apps
from django.db import connections, models, router, transaction

M = TypeVar("M", bound=models.Model)


def alias() -> str:
    """The name of the database in the host's `DATABASES`."""
    return router.db_for_write(_any_model())


def connection() -> Any:
    """The connection to it of the thread that asks."""
    return connections[alias()]


def atomic() -> transaction.Atomic:
    """A transaction of it, or a savepoint in the one that there is."""
    return transaction.atomic(using=alias())


def on_commit(told: Callable[[], Any]) -> None:
    """Call `told` once what this transaction wrote is there for good."""
    transaction.on_commit(told, using=alias())


class PrimaryQuerySet(models.QuerySet[M]):
    """Rows as they are where they are written, unless `using` names another database."""

    @property
    def db(self) -> str:
        """Where this query goes."""
        return self._db or router.db_for_write(self.model, **self._hints)  # type: ignore[attr-defined]


class PrimaryManager(models.Manager[M]):
    """The manager of a model that has no query set of its own."""

    def get_queryset(self) -> PrimaryQuerySet[M]:
        """All rows, as they are where they are written."""
        return PrimaryQuerySet(self.model, using=self._db, hints=self._hints)  # type: ignore[attr-defined]


@cache
def _any_model() -> type[models.Model]:
    """One of the app's: its tables are in one database, since rows refer to each other."""
    return apps.get_model("grant_management", "Service")
