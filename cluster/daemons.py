"""Processes of a cluster: they outlive the command that started them, and are found again.

Each has a file with its process ID and the time at which it started, so that a process which got
the same ID later is never taken for it.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from chaos.processes import ROOT, descendants, environment

from .programs import as_ordinary_user


class Daemon:
    """A process with a log and a file that names it; `folder` is the cluster's."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.log = folder / "logs" / f"{name}.log"
        self._file = folder / "run" / name
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, line: list[str], within: Iterable[str] = (), **changes: str) -> None:
        """Start it as an ordinary user; `within` begins the command line, as root.

        `changes` are environment variables.
        """
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*within, *as_ordinary_user(), *line],
                cwd=ROOT,
                env=environment(**changes),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._file.write_text(f"{self._process.pid} {_started(self._process.pid)}")

    @property
    def pid(self) -> int | None:
        """Its process ID; None: it does not run."""
        try:
            pid, started = self._file.read_text().split()
        except (FileNotFoundError, ValueError):
            return None
        return int(pid) if _started(int(pid)) == started else None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to it and to its children."""
        if (pid := self.pid) is not None:
            send_all([pid, *descendants(pid)], number)

    def kill(self) -> None:
        """End it and its children at once."""
        self.send(signal.SIGKILL)
        self._reap()

    def stop(self, seconds: float) -> None:
        """Ask it to end; kill it after that time."""
        pid = self.pid
        if pid is not None:
            send_all([pid], signal.SIGTERM)
            wait(lambda: self.pid is None, seconds)
        self.kill()

    def _reap(self) -> None:
        if self._process is not None:
            self._process.wait()
            self._process = None


def send_all(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to processes, as far as they still run."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def wait(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until a condition holds; whether it came to hold in that time."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def _started(pid: int) -> str:
    """When a process started, in ticks since the machine did; "": it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]
