"""`python -m grant_management.conformance CONFIG.toml`: exit code 0 where nothing failed."""

import argparse
import contextlib
import io
import signal
import sys
from pathlib import Path

try:
    from rich.console import Console
except ImportError:
    sys.exit("This command needs rich: pip install 'django-grant-management[conformance]'")

from .checks import CHECKS
from .config import Config, ConfigError
from .disclosure import printable
from .report import Report, as_json, as_junit, tell
from .server_under_test import ServerUnderTest
from .suite import run_all

FORMATS = {"json": as_json, "junit": as_junit}
INTERRUPTED = 130


class Terminal(Console):
    """A console whose reader may go away (`| head`): the run goes on, and writes its files."""

    def on_broken_pipe(self) -> None:
        """Print nothing more, but do not exit."""
        with contextlib.suppress(SystemExit):
            super().on_broken_pipe()


def main() -> int:
    """Run every check, and return the exit code.

    0: none failed; 1: one did; 2: bad config or file; 130: interrupted.
    """
    options = _options()
    console = _console()
    files = {name: path for name in FORMATS if (path := getattr(options, name)) is not None}
    try:
        server = ServerUnderTest(Config.load(options.config))
        # A file that cannot be written is noticed now, not at the end of a long run.
        for path in files.values():
            path.open("ab").close()
    except (ConfigError, OSError) as error:
        return _refuse(console, error)
    report = Report(CHECKS)
    try:
        _make(report, server, console)
    finally:
        # From here on an interrupt would lose the findings.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        written = _write(report, files, console)
    if not written:
        return 2
    return int(report.counts()["failed"] > 0) if report.complete else INTERRUPTED


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="grant-management-conformance", description=__doc__)
    parser.add_argument("config", type=Path, metavar="CONFIG.toml")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write the report as JUnit XML")
    return parser.parse_args()


def _console() -> Console:
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Escape "✓" where the terminal cannot show it, instead of failing.
        sys.stdout.reconfigure(errors="backslashreplace")
    return Terminal(highlight=False, soft_wrap=True, emoji=False)


def _make(report: Report, server: ServerUnderTest, console: Console) -> None:
    """Run the checks until they end or are interrupted."""
    # Continuous integration ends a job by SIGTERM.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for finding in run_all(report.checks, server):
            report.findings.append(finding)
            tell(console, finding)
    except KeyboardInterrupt:
        console.print(f"interrupted: {report.progress}", style="red")
    console.print(", ".join(f"{count} {outcome}" for outcome, count in report.counts().items()))


def _write(report: Report, files: dict[str, Path], console: Console) -> bool:
    """Write the files; whether all were written. One that fails does not stop the others."""
    written = True
    for name, path in files.items():
        try:
            path.write_bytes(FORMATS[name](report))
        except OSError as error:
            _refuse(console, error)
            written = False
    return written


def _refuse(console: Console, error: Exception) -> int:
    console.print(printable(str(error)), style="red", markup=False)
    return 2


if __name__ == "__main__":
    sys.exit(main())
