"""The faults of processes and databases. `inject` brings one about, `heal` takes it away."""

import contextlib
import os
import resource
import signal
import time
from pathlib import Path
from typing import Any, ClassVar

from .databases import POSTGRESQL, SQLITE, PostgreSQL, SQLite
from .model import Model
from .place import Place

BOTH = (POSTGRESQL, SQLITE)
TABLES = ("grant", "accesstoken", "refreshtoken", "grantevent", "usedproof")


class Fault:
    """One fault, on the databases where it is possible; the docstring is for the document too."""

    name: ClassVar[str]
    databases: ClassVar[tuple[str, ...]] = BOTH
    in_short: ClassVar[tuple[str, ...]] = BOTH
    """The databases on which the short form includes it."""
    heal_counts: ClassVar[bool] = True
    """Whether the time that `heal` takes is part of the time to recovery."""
    once: ClassVar[bool] = False
    """Whether it comes only once, even in the long form."""
    may_refuse: frozenset[str] = frozenset()
    """Codes with which a live token may be refused while the fault lasts."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def missing(self, place: Place) -> str:
        """Why the fault is not possible here; "" where it is."""
        return ""

    def spares_reads(self, place: Place) -> bool:
        """Whether the fault does not concern a QUERY to the second server."""
        return True

    def prepare(self, place: Place, *, thorough: bool) -> None:
        """Called before the load; `thorough`: this is the long form."""

    def inject(self, place: Place, model: Model) -> None:
        """Bring the fault about."""
        raise NotImplementedError

    def hold(self, place: Place, seconds: float) -> None:
        """Wait while the fault lasts."""
        time.sleep(seconds)

    def heal(self, place: Place, model: Model) -> None:
        """Take the fault away; called even where `inject` failed."""

    def check(self, place: Place, model: Model) -> None:
        """Find what the fault broke besides the load; called after recovery."""


class WorkerKilled(Fault):
    """SIGKILL for one of two workers of a server."""

    name = "worker killed"

    def inject(self, place: Place, model: Model) -> None:
        """Kill the first worker."""
        os.kill(place.servers[0].workers()[0], signal.SIGKILL)


class MainKilled(Fault):
    """SIGKILL for the main process of a server."""

    name = "main process killed"
    in_short = ()

    def inject(self, place: Place, model: Model) -> None:
        """Kill the main process; its workers stay."""
        self._workers = place.servers[0].workers()
        os.kill(place.servers[0].pid, signal.SIGKILL)

    def heal(self, place: Place, model: Model) -> None:
        """End the workers that are left, and start the server again."""
        left = sum(Path(f"/proc/{pid}").exists() for pid in self._workers)
        if place.servers[0].revive():
            self.notes.append(
                f"{left} of its {len(self._workers)} workers went on without it; the run ended"
                " them and started the server again"
            )


class DatabaseStopped(Fault):
    """The database is stopped, as an operator does it."""

    name = "database stopped"
    databases = in_short = (POSTGRESQL,)

    def inject(self, place: Place, model: Model) -> None:
        """Stop the database, which ends the connections."""
        _postgresql(place).stop()

    def heal(self, place: Place, model: Model) -> None:
        """Start the database."""
        _postgresql(place).start()


class DatabaseCrashed(DatabaseStopped):
    """The database ends at once and recovers from its log when it starts."""

    name = "database crashed"
    in_short = ()

    def inject(self, place: Place, model: Model) -> None:
        """Crash the database: it writes nothing any more."""
        _postgresql(place).crash()


class ConnectionsCut(Fault):
    """Every connection to the database is cut, five times a second."""

    name = "connections cut"
    databases = in_short = (POSTGRESQL,)
    _CUT = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = 'chaos' AND pid <> pg_backend_pid()"
    )

    def inject(self, place: Place, model: Model) -> None:
        """Cut the connections for the first time."""
        place.database.rows(self._CUT)

    def hold(self, place: Place, seconds: float) -> None:
        """Cut the connections again and again."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(0.2)
            place.database.rows(self._CUT)


class DatabaseFrozen(Fault):
    """SIGSTOP for every process of the database: connections stay open, none is answered."""

    name = "database frozen"
    databases = in_short = (POSTGRESQL,)

    def inject(self, place: Place, model: Model) -> None:
        """Freeze the database."""
        _postgresql(place).freeze()

    def spares_reads(self, place: Place) -> bool:
        """Nothing is read meanwhile."""
        return False

    def heal(self, place: Place, model: Model) -> None:
        """Let the database go on."""
        _postgresql(place).thaw()


class TablesLocked(Fault):
    """Another session holds a lock: LOCK TABLE on PostgreSQL, the one writer's on SQLite."""

    name = "locked"
    _session: Any = None

    def spares_reads(self, place: Place) -> bool:
        """SQLite goes on reading (WAL); LOCK TABLE locks readers out."""
        return isinstance(place.database, SQLite)

    def inject(self, place: Place, model: Model) -> None:
        """Take the lock in a transaction that stays open."""
        self._session = place.database.session()
        if isinstance(place.database, SQLite):
            self._session.execute("BEGIN EXCLUSIVE")
            return
        self._session.execute("BEGIN")
        tables = ", ".join(f"grant_management_{table}" for table in TABLES)
        self._session.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")

    def heal(self, place: Place, model: Model) -> None:
        """End the transaction."""
        if self._session is not None:
            self._session.close()
            self._session = None


class ReadOnly(Fault):
    """PostgreSQL: default_transaction_read_only, as on a standby. SQLite: chmod, new servers."""

    name = "read-only"

    def inject(self, place: Place, model: Model) -> None:
        """Make the database read-only."""
        if isinstance(place.database, SQLite):
            self._modes(place.database, 0o444, 0o555)
            place.restart()  # an open file stays writable
            self.notes.append("the servers were started again to lose their open files")
        else:
            _configure(place, "SET default_transaction_read_only = on")

    def heal(self, place: Place, model: Model) -> None:
        """Make the database writable again; the servers are left as they are."""
        if isinstance(place.database, SQLite):
            self._modes(place.database, 0o600, 0o700)
        else:
            _configure(place, "RESET default_transaction_read_only")

    @staticmethod
    def _modes(database: SQLite, file: int, folder: int) -> None:
        for path in database.files():
            with contextlib.suppress(FileNotFoundError):
                path.chmod(file)
        database.folder.chmod(folder)


class DiskFull(Fault):
    """The disk is full: a small tmpfs is filled up, or (SQLite, without root) RLIMIT_FSIZE."""

    name = "disk full"

    def missing(self, place: Place) -> str:
        """PostgreSQL needs a small file system, and it takes root to mount one."""
        if place.database.disk is None and isinstance(place.database, PostgreSQL):
            return "it takes root to mount a small tmpfs"
        return ""

    def inject(self, place: Place, model: Model) -> None:
        """Fill the disk up."""
        database = place.database
        if isinstance(database, SQLite):
            # Truncate the WAL: writes over its old content would need no new space.
            place.wait(lambda: not database.rows("PRAGMA wal_checkpoint(TRUNCATE)")[0][0], 5)
        if database.disk is None:
            self.notes.append("without root: a limit on the size of files (RLIMIT_FSIZE)")
            self._limit(place, database.file.stat().st_size)
        else:
            database.disk.fill()

    def hold(self, place: Place, seconds: float) -> None:
        """Fill up any space that is freed."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(0.1)
            if place.database.disk is not None:
                place.database.disk.fill()

    def heal(self, place: Place, model: Model) -> None:
        """Make room again."""
        if place.database.disk is not None:
            place.database.disk.empty()
        else:
            self._limit(place, resource.RLIM_INFINITY)

    @staticmethod
    def _limit(place: Place, size: int) -> None:
        for server in place.servers:
            for pid in (server.pid, *server.workers()):
                with contextlib.suppress(ProcessLookupError):
                    hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
                    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


def _postgresql(place: Place) -> PostgreSQL:
    assert isinstance(place.database, PostgreSQL)
    return place.database


def _configure(place: Place, change: str) -> None:
    with contextlib.closing(place.database.session()) as session:
        session.execute(f"ALTER SYSTEM {change}")
        session.execute("SELECT pg_reload_conf()")
