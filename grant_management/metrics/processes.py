"""Which of the processes this is, where several count for one answer to Prometheus.

prometheus_client gives each process files of its own in `PROMETHEUS_MULTIPROC_DIR`, by its number
at the system. A server that replaces its workers for months would leave thousands of them. So here
a process has the lowest number that no running process has, and goes on counting in the files of
one that ended: no count is lost, and there are never more files than processes at a time. A lock on
a file says that a number is taken; it ends with its process.
"""

import itertools
import os
from pathlib import Path
from typing import IO, Final

from prometheus_client import values

try:
    import fcntl
except ImportError:  # Windows: the number of the system
    fcntl = None  # type: ignore[assignment]

VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
WORKER: Final = "worker"
_kind = "other"
_mine: tuple[int, str, int] = (0, "", -1)
"""The process, its name, and the descriptor of its lock."""


def are_several() -> bool:
    """Whether processes count together: `PROMETHEUS_MULTIPROC_DIR` names a folder."""
    return bool(os.environ.get(VARIABLE)) and fcntl is not None


def share() -> None:
    """Count in files from now on, where several processes do.

    It has to come before the first metric is made.
    """
    if are_several():
        values.ValueClass = values.MultiProcessValue(name)  # type: ignore[no-untyped-call]


def become_worker() -> None:
    """Call this process a worker: it counts among those that run."""
    global _kind, _mine
    _kind, _mine = WORKER, (0, "", -1)


def name() -> str:
    """The name of this process, such as `worker3`, which no other running process has."""
    global _mine
    process = os.getpid()
    if _mine[0] != process:
        _mine = (process, *_take(folder()))
    return _mine[1]


def workers(within: Path | None = None) -> int:
    """How many workers run, which count in this folder; None: in that of this process."""
    return sum(_is_taken(one) for one in (within or folder()).glob(f"{WORKER}*.lock"))


def folder() -> Path:
    """Where processes that count together have their files."""
    return Path(os.environ[VARIABLE])


def _take(within: Path) -> tuple[str, int]:
    for number in itertools.count():
        held = _lock(within / f"{_kind}{number}.lock")
        if held is not None:
            return f"{_kind}{number}", held
    raise AssertionError  # it counts for ever


def hold(file: IO[str]) -> None:
    """Keep a file for this process, until it is closed; wait for whoever has it."""
    fcntl.flock(file, fcntl.LOCK_EX)


def _is_taken(path: Path) -> bool:
    held = _lock(path, shared=True)  # processes that look at once do not see each other
    if held is not None:
        os.close(held)
    return held is None


def _lock(path: Path, *, shared: bool = False) -> int | None:
    """The descriptor of a file that was locked; None: a running process has it."""
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(opened, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(opened)
        return None
    return opened
