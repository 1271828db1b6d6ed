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
    """One fault, on the databases where it can be; the docstring says what happens."""

    name: ClassVar[str]
    databases: ClassVar[tuple[str, ...]] = BOTH
    in_short: ClassVar[tuple[str, ...]] = BOTH
    """The databases on which it is part of the short form."""
    heal_counts: ClassVar[bool] = True
    """Whether what `heal` takes is part of the time to recovery."""
    once: ClassVar[bool] = False
    """Whether it comes once, also in the long form."""
    may_refuse: frozenset[str] = frozenset()
    """Codes that are a right answer to a live token while it lasts."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def missing(self, place: Place) -> str:
        """Why it cannot be brought about here; "" where it can."""
        return ""

    def prepare(self, place: Place, *, thorough: bool) -> None:
        """Before the load."""

    def inject(self, place: Place, model: Model) -> None:
        """Bring it about."""
        raise NotImplementedError

    def hold(self, place: Place, seconds: float) -> None:
        """While it lasts."""
        time.sleep(seconds)

    def heal(self, place: Place, model: Model) -> None:
        """Take it away; also where `inject` did not come to its end."""

    def check(self, place: Place, model: Model) -> None:
        """Find what it broke beside the load, after recovery."""


class WorkerKilled(Fault):
    """SIGKILL for one of two workers of a server."""

    name = "worker killed"

    def inject(self, place: Place, model: Model) -> None:
        """The first one."""
        os.kill(place.servers[0].workers()[0], signal.SIGKILL)

    def heal(self, place: Place, model: Model) -> None:
        """Nothing supervises servers yet: the run does."""
        if place.servers[0].revive():
            self.notes.append("the server ended with its worker, and was started again by the run")


class MainKilled(Fault):
    """SIGKILL for the main process of a server."""

    name = "main process killed"
    in_short = ()

    def inject(self, place: Place, model: Model) -> None:
        """Its workers are left."""
        self._workers = place.servers[0].workers()
        os.kill(place.servers[0].pid, signal.SIGKILL)

    def heal(self, place: Place, model: Model) -> None:
        """End the workers that are left."""
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
        """Connections are ended."""
        _postgresql(place).stop()

    def heal(self, place: Place, model: Model) -> None:
        """Start it."""
        _postgresql(place).start()


class DatabaseCrashed(DatabaseStopped):
    """The database ends at once and recovers from its log when it starts."""

    name = "database crashed"
    in_short = ()

    def inject(self, place: Place, model: Model) -> None:
        """Nothing is written any more."""
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
        """For the first time."""
        place.database.rows(self._CUT)

    def hold(self, place: Place, seconds: float) -> None:
        """Again and again."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(0.2)
            place.database.rows(self._CUT)


class DatabaseFrozen(Fault):
    """SIGSTOP for every process of the database: connections stay open, nobody answers."""

    name = "database frozen"
    databases = in_short = (POSTGRESQL,)

    def inject(self, place: Place, model: Model) -> None:
        """Freeze."""
        _postgresql(place).freeze()

    def heal(self, place: Place, model: Model) -> None:
        """Thaw."""
        _postgresql(place).thaw()


class TablesLocked(Fault):
    """Somebody holds the lock: PostgreSQL's LOCK TABLE, SQLite's one writer."""

    name = "locked"
    _session: Any = None

    def inject(self, place: Place, model: Model) -> None:
        """In a transaction that stays open."""
        self._session = place.database.session()
        if isinstance(place.database, SQLite):
            self._session.execute("BEGIN EXCLUSIVE")
            return
        self._session.execute("BEGIN")
        tables = ", ".join(f"grant_management_{table}" for table in TABLES)
        self._session.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")

    def heal(self, place: Place, model: Model) -> None:
        """It ends."""
        if self._session is not None:
            self._session.close()
            self._session = None


class ReadOnly(Fault):
    """PostgreSQL: a standby's default_transaction_read_only. SQLite: chmod, then new servers."""

    name = "read-only"

    def inject(self, place: Place, model: Model) -> None:
        """From now on."""
        if isinstance(place.database, SQLite):
            self._modes(place.database, 0o444, 0o555)
            place.restart()  # an open file stays writable
            self.notes.append("the servers were started again to lose their open files")
        else:
            _configure(place, "SET default_transaction_read_only = on")

    def heal(self, place: Place, model: Model) -> None:
        """It can be written to again; the servers are left as they are."""
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
    """No byte is left: a small tmpfs filled up, or (SQLite, without root) RLIMIT_FSIZE."""

    name = "disk full"

    def missing(self, place: Place) -> str:
        """A small file system takes root."""
        if place.database.disk is None and isinstance(place.database, PostgreSQL):
            return "it takes root to mount a small tmpfs"
        return ""

    def inject(self, place: Place, model: Model) -> None:
        """Fill it up."""
        database = place.database
        if isinstance(database, SQLite):
            # So that there is no log left to write over.
            place.wait(lambda: not database.rows("PRAGMA wal_checkpoint(TRUNCATE)")[0][0], 5)
        if database.disk is None:
            self.notes.append("without root: a limit on the size of files (RLIMIT_FSIZE)")
            self._limit(place, database.file.stat().st_size)
        else:
            database.disk.fill()

    def hold(self, place: Place, seconds: float) -> None:
        """What is given back is taken again."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(0.1)
            if place.database.disk is not None:
                place.database.disk.fill()

    def heal(self, place: Place, model: Model) -> None:
        """There is room again."""
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
