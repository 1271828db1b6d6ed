"""Processes that end with the run: servers, and commands beside them."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
COME_UP, END = 30.0, 5.0
"""Seconds that a server has to start, and to end."""


def environment(**changes: str) -> dict[str, str]:
    """The environment of a process: only what it needs, so that nothing of the shell leaks in."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ} | changes


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def children(pid: int) -> list[int]:
    """The child processes of a process that still run."""
    return _by_parent().get(pid, [])


def descendants(pid: int) -> list[int]:
    """The children of a process, their children, and so on."""
    by_parent = _by_parent()  # read once: it takes long where there are many processes
    found = [pid]
    for one in found:
        found += by_parent.get(one, [])
    return found[1:]


def _by_parent() -> dict[int, list[int]]:
    """The processes that still run, by their parent."""
    found: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if fields[0] != "Z":  # a zombie has ended
                    found.setdefault(int(fields[1]), []).append(int(entry.name))
    return found


def clock(offset: float) -> dict[str, str] | None:
    """The environment of a process whose clock is off by that many seconds.

    None: Debian's `faketime` is not installed, or not where it is expected.
    """
    program = shutil.which("faketime")
    if program is None:
        return None
    prefix = Path(program).resolve().parent.parent
    libraries = list(prefix.glob("lib/*/faketime/libfaketimeMT.so.1"))
    if not libraries:
        return None
    fake = {"LD_PRELOAD": libraries[0], "FAKETIME": f"{offset:+.0f}"}
    return fake | {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}


class Server:
    """A server of the standalone project, with its workers, on a port that stays the same."""

    def __init__(self, name: str, url: str, log: Path, *, workers: int, before: list[str]) -> None:
        self.name, self.port, self.log = name, free_port(), log
        self._url, self._workers, self._before = url, workers, before
        self._process: subprocess.Popen[bytes] | None = None
        self.restarts = 0

    @property
    def pid(self) -> int:
        """The process ID of its main process."""
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether its main process runs."""
        return self._process is not None and not has_ended(self._process)

    def start(self, **changes: str) -> None:
        """Start it, and wait until it listens; `changes` are environment variables.

        RuntimeError: it ended, or did not listen in time.
        """
        arguments = ["-m", "gm_project.serving", "127.0.0.1", str(self.port), str(self._workers)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._before, sys.executable, *arguments],
                cwd=ROOT,
                env=environment(DATABASE_URL=self._url, **changes),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + COME_UP
        while time.monotonic() < until and self.alive:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            time.sleep(0.05)
        raise RuntimeError(f"server {self.name} did not come up; its log is {self.log}")

    def restart(self, **changes: str) -> None:
        """End what is left of it, and start it again; `changes` as in `start`."""
        self.stop()
        self.start(**changes)

    def revive(self) -> bool:
        """Start it again if its main process has ended; whether it had."""
        if self.alive:
            return False
        self.restarts += 1
        self.restart()
        return True

    def workers(self) -> list[int]:
        """Its worker processes. It listens before it has made them, so this waits for them."""
        until = time.monotonic() + END
        while not (found := children(self.pid)) and self.alive and time.monotonic() < until:
            time.sleep(0.02)
        return found

    def stop(self) -> None:
        """End it, also workers that outlived their main process."""
        if self._process is None:
            return
        if self.alive:
            self._process.terminate()
        until = time.monotonic() + END
        while self.alive and time.monotonic() < until:
            time.sleep(0.02)
        kill_group(self._process)


def start_command(url: str, *arguments: str, **changes: str) -> "subprocess.Popen[str]":
    """Start `manage.py …`; `changes` are environment variables."""
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment(DATABASE_URL=url, **changes),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def run_command(url: str, *arguments: str, **changes: str) -> tuple[int, str]:
    """The exit code of `manage.py …`, and its output."""
    process = start_command(url, *arguments, **changes)
    try:
        said, _ = process.communicate(timeout=300)
    except BaseException:
        kill_group(process)
        raise
    return process.returncode, said


def has_ended(process: "subprocess.Popen[bytes] | subprocess.Popen[str]") -> bool:
    """Whether it has ended. It is not reaped, so that no other process gets its ID yet."""
    if process.returncode is not None:
        return True
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def kill_group(process: "subprocess.Popen[bytes] | subprocess.Popen[str]") -> None:
    """Send SIGKILL to it and to what is left of the session that it leads; then reap it.

    Does nothing where it was reaped before: by now its ID may be that of another process.
    """
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
    # libfaketime leaves its shared memory behind when it is killed.
    for left in Path("/dev/shm").glob(f"*faketime*_{process.pid}"):
        left.unlink(missing_ok=True)
