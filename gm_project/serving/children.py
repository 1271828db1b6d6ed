"""Processes that this one starts, and ends before it ends itself.

A signal never raises an exception here: it could be raised between the start of a process and the
line that remembers it. It is noted, and looked at between two steps. Needs the standard library
alone.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any, Final

PAUSE: Final = 0.1
"""Seconds between two looks at what was noted."""
GRACE: Final = 20.0
"""Seconds that a process has to end, before it is killed."""
_ENDING: Final = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


class Noted:
    """The first signal that asked this process to end; 0: none did."""

    def __init__(self) -> None:
        self.number = 0

    def note(self, number: int, frame: FrameType | None) -> None:
        """Be the handler of a signal."""
        self.number = self.number or number

    def exit(self) -> None:
        """SystemExit, with the exit code that shells use, where a signal was noted."""
        if self.number:
            sys.exit(128 + self.number)


@contextlib.contextmanager
def noting() -> Iterator[Noted]:
    """During the block, signals that ask this process to end are noted; ignored ones stay so."""
    noted = Noted()
    heard = [one for one in _ENDING if signal.getsignal(one) is not signal.SIG_IGN]
    before = [(one, signal.signal(one, noted.note)) for one in heard]
    try:
        yield noted
    finally:
        for one, handler in before:
            signal.signal(one, handler)


def start(line: Sequence[str], **options: Any) -> "subprocess.Popen[Any]":
    """Start a process in a group of its own, which a terminal's Ctrl+C does not reach."""
    if os.name == "posix":
        options["process_group"] = 0
    return subprocess.Popen(line, **options)  # noqa: S603 - our own command lines


def wait(process: "subprocess.Popen[Any]", noted: Noted) -> None:
    """Until the process has ended, or a signal was noted."""
    while not noted.number:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PAUSE)
            return


def end(process: "subprocess.Popen[Any]", number: int = signal.SIGTERM) -> None:
    """End a process by a signal. It is killed if it does not; so is what is left of its group."""
    process.send_signal(number)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def call(line: Sequence[str], ending: int = signal.SIGTERM, **options: Any) -> int:
    """Run a process to its end; its exit code.

    SystemExit: a signal asked this process to end. The other one has ended by then: it was sent the
    signal `ending`.
    """
    with noting() as noted:
        process = start(line, **options)
        wait(process, noted)
        if noted.number:
            end(process, ending)
    noted.exit()
    return int(process.returncode)


def ask(line: Sequence[str]) -> tuple[int, str]:
    """Like `call`; with all that the process said. It has no input. It is ended by SIGINT, at which
    pip removes its temporary files.
    """
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    said: list[bytes] = []
    with noting() as noted:
        process = start(line, **pipes)
        # Read meanwhile: a full pipe would hold the process up.
        reader = threading.Thread(target=lambda: said.extend(process.stdout or ()), daemon=True)
        reader.start()
        wait(process, noted)
        if noted.number:
            end(process, signal.SIGINT)
    noted.exit()
    reader.join(GRACE)
    return int(process.returncode), b"".join(said).decode(errors="replace")


def hold_interrupts() -> None:
    """Keep Ctrl+C until `end_at_interrupts`, in the program that takes this one's place."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def end_at_interrupts() -> None:
    """From here on Ctrl+C ends this process at once, without a traceback.

    A process that ignores Ctrl+C, as one in the background does, goes on doing so.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
