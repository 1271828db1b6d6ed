"""Files that only their owner can read: the database, the files beside it, the secret key.

Needs the standard library alone, since run.py imports it before anything is installed.
"""

import contextlib
import logging
import os
import sqlite3
import stat
import threading
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

log = logging.getLogger(__name__)

BESIDE: Final = ("", "-wal", "-shm", "-journal")
"""The suffixes of a database and of the files that SQLite keeps beside it."""
# Closing any descriptor of a file drops all of the process's locks on it, SQLite's too: so no
# connection may open the new file before this descriptor of it is closed.
_creating = threading.Lock()


class PrivateConnection(sqlite3.Connection):
    """A connection to a database that only its owner can read.

    SQLite gives new files beside a database the mode of the database itself.
    """

    def __init__(self, database: Any, *args: Any, **options: Any) -> None:
        path = file_of(database)
        if path is not None:
            create(path)
            for suffix in BESIDE:
                mend(Path(f"{path}{suffix}"))
        super().__init__(database, *args, **options)


def file_of(database: str | bytes | os.PathLike[str]) -> Path | None:
    """The file of a database that SQLite opens by this name or URI; None: it is in memory."""
    name = os.fsdecode(database)
    if name.startswith("file:"):
        uri = urlsplit(name)
        name = "" if "mode=memory" in uri.query else unquote(uri.path)
    # SQLite follows links, and keeps its files beside the database that it finds.
    return None if name in ("", ":memory:") else Path(os.path.realpath(name))


def create(path: Path) -> None:
    """Make an empty file that is private from its first moment, unless there is one.

    An error is left to the code that opens the file next, which says what is wrong.
    """
    with _creating, contextlib.suppress(OSError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def mend(path: Path) -> None:
    """Take all rights to an existing file from its group and from others, and log that."""
    if os.name == "nt":  # Windows has access lists, no modes
        return
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) or not mode & 0o077:
            return
        path.chmod(stat.S_IMODE(mode) & 0o700)
        log.warning("%s was open to other users of this machine. It is private now.", path)
    except FileNotFoundError:
        return
    except OSError as error:
        log.warning("%s is open to other users: chmod 600 it (%s).", path, error.strerror)


def make_directory(path: Path) -> None:
    """Make a directory that only its owner can enter; an existing one becomes so."""
    path.mkdir(mode=0o700, exist_ok=True)
    path.chmod(0o700)
