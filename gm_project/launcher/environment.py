"""The virtual environment beside `run.py`: `.venv`, with the packages of a requirements file.

A stamp in it, one for each requirements file, says what was installed to the end. Without any it is
half made, such as by an interrupt, and is made anew.
"""

import hashlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Final

from ..database.exclusive import alone, lock
from ..serving.children import ask
from .explanation import explained
from .paths import ROOT

VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
SETUP_LOCK = ROOT / ".setup-lock"
PIP: Final = ("-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check")
LOCKED: Final = ("--require-hashes", "--no-deps", "-r")
"""A lock names every package. Without `--no-deps`, pip also looks at what they need, and can meet a
newer release of one first (`coverage[toml]`): the lock has no hash for it, and pip refuses."""
_IDENTITY: Final = (
    "import sys, pip; print(sys.implementation.cache_tag, getattr(sys, 'abiflags', ''), end='')"
)


def install(requirements: str) -> None:
    """Install the packages of a requirements file into .venv, unless they are there.

    SystemExit: that cannot be done. The message says why, and what to do.
    """
    try:
        if _is_installed(requirements):
            return
        with alone(lambda: lock(SETUP_LOCK), _say_waiting):
            if not _is_installed(requirements):
                _set_up(requirements)
    except (OSError, sqlite3.OperationalError) as error:
        sys.exit(explained(str(error)))


def _say_waiting() -> None:
    print(f"Another process sets up {VENV.name}: waiting for it …", flush=True)


def _is_installed(requirements: str) -> bool:
    stamp = VENV / f".{requirements}"
    return PYTHON.exists() and stamp.exists() and stamp.read_text() == digest_of(requirements)


def digest_of(requirements: str) -> str:
    """What the stamp of these packages says: of the file, and of the interpreter."""
    return hashlib.sha256((ROOT / requirements).read_bytes() + sys.version.encode()).hexdigest()


def _set_up(requirements: str) -> None:
    print(f"Setting up {VENV.name} from {requirements}: once, and when that changes …", flush=True)
    stamps = {path: path.read_text() for path in VENV.glob(".requirements*.lock")}
    if not stamps or not _is_of_this_python():
        _run(sys._base_executable, "-m", "venv", "--clear", str(VENV))  # type: ignore[attr-defined]
        stamps = {}
    before = _contents()
    for path in stamps:
        path.unlink()
    try:
        _run(str(PYTHON), *PIP, *LOCKED, requirements)
        stamps[VENV / f".{requirements}"], before = digest_of(requirements), _contents()
    finally:
        if _contents() == before:  # else it is half made
            for path, text in stamps.items():
                path.write_text(text)


def _is_of_this_python() -> bool:
    """Whether .venv runs the interpreter that runs this, or one that is like it."""
    try:
        asked = [(python, "-c", _IDENTITY) for python in (str(PYTHON), sys.executable)]
        mine, this = (subprocess.run(line, capture_output=True, check=False) for line in asked)
    except OSError:
        return False
    return mine.returncode == 0 and mine.stdout == this.stdout


def _contents() -> set[tuple[str, int]]:
    """What is installed: each entry of the site-packages, and when it changed."""
    found: set[Path] = set()
    for folder in ("lib/*/site-packages/*", "Lib/site-packages/*"):
        found |= set(VENV.glob(folder))
    return {(path.name, path.stat().st_mtime_ns) for path in found}


def _run(*line: str) -> None:
    """Run a step of the set-up. SystemExit: it failed; the message says what to do."""
    code, said = ask(line)
    if code:
        sys.exit(explained(said))
