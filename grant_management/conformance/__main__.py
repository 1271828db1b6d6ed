"""`python -m grant_management.conformance CONFIG.toml`: exit code 0 where nothing failed."""

import argparse
import signal
import sys
from pathlib import Path
from typing import Final

from .checks import CHECKS
from .config import Config, ConfigError
from .disclosure import printable
from .report import Report, as_json, as_junit
from .server_under_test import ServerUnderTest
from .suite import run_all
from .terminal import Terminal

FORMATS = {"json": as_json, "junit": as_junit}
INTERRUPTED = 130
DESCRIPTION: Final = (
    "Checks an authorization server against Grant Management for OAuth 2.0 (draft 03), over HTTP."
    " The documents (The conformance suite) have the members of the config."
)
CODES: Final = (
    "Exit codes: 0, nothing failed; 1, a check failed; 2, the config cannot be used or a file"
    " cannot be written; 130, interrupted."
)


def main() -> int:
    """Run every check, and return the exit code.

    0: none failed; 1: one did; 2: bad config or file; 130: interrupted.
    """
    options = _options()
    terminal = Terminal()
    files = {name: path for name in FORMATS if (path := getattr(options, name)) is not None}
    try:
        server = ServerUnderTest(Config.load(options.config))
        # A file that cannot be written is noticed now, not at the end of a long run.
        for path in files.values():
            path.open("ab").close()
    except (ConfigError, OSError) as error:
        return _refuse(terminal, error)
    report = Report(CHECKS)
    try:
        _make(report, server, terminal)
    finally:
        # From here on an interrupt would lose the findings.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        written = _write(report, files, terminal)
    if not written:
        return 2
    return int(report.counts()["failed"] > 0) if report.complete else INTERRUPTED


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="grant-management-conformance", description=DESCRIPTION, epilog=CODES
    )
    parser.add_argument("config", type=Path, metavar="CONFIG.toml")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write the report as JUnit XML")
    return parser.parse_args()


def _make(report: Report, server: ServerUnderTest, terminal: Terminal) -> None:
    """Run the checks until they end or are interrupted."""
    # Continuous integration ends a job by SIGTERM.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for finding in run_all(report.checks, server):
            report.findings.append(finding)
            terminal.tell(finding)
    except KeyboardInterrupt:
        terminal.say(f"interrupted: {report.progress}", "red")
    terminal.say(", ".join(f"{count} {outcome}" for outcome, count in report.counts().items()))


def _write(report: Report, files: dict[str, Path], terminal: Terminal) -> bool:
    """Write the files; whether all were written. One that fails does not stop the others."""
    written = True
    for name, path in files.items():
        try:
            path.write_bytes(FORMATS[name](report))
        except OSError as error:
            _refuse(terminal, error)
            written = False
    return written


def _refuse(terminal: Terminal, error: Exception) -> int:
    terminal.say(printable(str(error)), "red")
    return 2


if __name__ == "__main__":
    sys.exit(main())
