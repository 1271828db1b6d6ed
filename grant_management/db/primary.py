"""The database that this app writes to, and reads from for every decision.

A host's router may send the app to another database than the default, and its reads to a
replica. A replica may not know of a revocation yet, so nothing here reads from one, except inside
of `replica.reading`, where nothing is decided.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, Final, TypeVar

from django.apps import apps
from django.db import connections, models, router, transaction

from . import apart
from .postgresql.longer import longer_in_transaction
from .write_slots import uncounted, write_slot

M = TypeVar("M", bound=models.Model)
READS: Final = ContextVar[str | None]("READS", default=None)
"""The alias that query sets read from; None: the primary. `replica.reading` sets it."""


def alias() -> str:
    """The key of the database in the host's `DATABASES`; with a map, of that in view (`apart`).

    NotInView: there is a map, and none is in view.
    """
    return apart.in_view() or router.db_for_write(_any_model())


def connection() -> Any:
    """The calling thread's connection to it."""
    return connections[alias()]


@contextmanager
def atomic() -> Iterator[None]:
    """A transaction of it, or a savepoint inside of one that is open.

    NoWriteSlot: as many transactions of this process as may write at once are waiting. NoStandby:
    nothing was written, since commits wait for a standby. OutcomeUnknown: this commit did.
    """
    name = alias()
    if connections[name].in_atomic_block:
        with transaction.atomic(using=name):
            yield
    else:
        with _write(name), transaction.atomic(using=name):
            yield


@contextmanager
def atomic_in_first() -> Iterator[None]:
    """Within a transaction of the database in view, one of the first database, if that is another.

    It is taken after the one around it and committed before it, everywhere in this order: so no two
    processes wait for each other.
    """
    if not apart.is_away():
        yield
        return
    with uncounted(), _write(apart.first()), transaction.atomic(using=apart.first()):
        yield


@contextmanager
def long_read(seconds: int) -> Iterator[None]:
    """Around reads that may take long: on PostgreSQL a transaction in which each may take at least
    `seconds`. It takes no slot for writes.
    """
    held = connection()
    if held.vendor != "postgresql":
        yield
        return
    with transaction.atomic(using=held.alias), longer_in_transaction(held, seconds):
        yield


def savepoint(model: type[models.Model]) -> AbstractContextManager[None]:
    """A savepoint within a transaction of the database that the model's rows are in."""
    return transaction.atomic(using=router.db_for_write(model))


@contextmanager
def one_write() -> Iterator[Any]:
    """Around one statement that writes and commits itself; gives the connection to it.

    NoWriteSlot, NoStandby, OutcomeUnknown: as for `atomic`.
    """
    name = alias()
    with _write(name):
        held = connections[name]
        if not hasattr(held, "committing"):
            yield held
            return
        with held.committing():
            yield held


@contextmanager
def _write(name: str) -> Iterator[None]:
    """A slot for a write, on an open connection."""
    held = connections[name]
    held.ensure_connection()  # no slot is held while one is opened
    with write_slot():
        if hasattr(held, "check_commits"):  # the backend of this app
            held.check_commits()
        yield


def on_commit(told: Callable[[], Any]) -> None:
    """Call `told` once this transaction is committed; at once outside of a transaction."""
    transaction.on_commit(told, using=alias())


class PrimaryQuerySet(models.QuerySet[M]):
    """A query set that reads from the primary, unless `using` names another database."""

    @property
    def db(self) -> str:
        """The alias of the database that this query goes to."""
        reads = None if self._for_write else READS.get()  # type: ignore[attr-defined]
        replica = None if reads is None or apart.is_away() else reads
        return (
            self._db  # type: ignore[attr-defined]
            or replica
            or router.db_for_write(self.model, **self._hints)  # type: ignore[attr-defined]
        )


class PrimaryManager(models.Manager[M]):
    """A manager that reads from the primary, for models without a query set of their own."""

    def get_queryset(self) -> PrimaryQuerySet[M]:
        """All rows, read from the primary."""
        return PrimaryQuerySet(self.model, using=self._db, hints=self._hints)  # type: ignore[attr-defined]


@cache
def _any_model() -> type[models.Model]:
    """Any model of the app: its tables share one database, since rows refer to each other."""
    return apps.get_model("grant_management", "Service")
