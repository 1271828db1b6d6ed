"""`run.py test --cluster`: faults of a cluster, under load. Exit code 1: a promise was broken.

On loopback, in a new cluster. As root each node has a network namespace of its own, so that its
packets can be dropped.
"""

import argparse
import shlex
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import NoReturn

from chaos.report import shown_again

from . import report, trial
from .faults import FAULTS, Fault
from .place import Place
from .prove import prove
from .trial import Row

PATHS = ("pgbouncer", "haproxy")
"""The paths that the documents recommend; `hosts` is libpq's own choice, which they do not."""


def main() -> int:
    """Run the faults, and print a row for each. The exit code."""
    options = _options()
    signal.signal(signal.SIGTERM, _end)
    began = time.monotonic()
    try:
        if options.prove:
            return _prove()
        rows = _run(options)
    except KeyboardInterrupt:
        print("\nInterrupted: everything that was started has ended.", flush=True)
        return 130
    if options.write:
        report.write(rows, shlex.join(["python3", "run.py", "test", "--cluster", *sys.argv[1:]]))
    failed = sum(bool(row.findings) for row in rows)
    print(f"\n{len(rows) - failed} of {len(rows)} trials kept every promise.")
    again = sum(row.shown_again for row in rows)
    print(shown_again(again))
    print(f"{time.monotonic() - began:.0f} s", flush=True)
    return int(failed > 0 or not (again or options.fault))


def _place(stack: ExitStack) -> Place:
    """A new cluster, which `stack` ends."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gm-cluster-")))
    folder.chmod(0o711)  # as root, the processes run as another user, which must get in
    place = Place(folder, stack)
    print(report.HEAD, flush=True)
    return place


def _prove() -> int:
    """Show that the trials can fail. The exit code: 1 where a fault went unseen."""
    unseen = []
    with ExitStack() as stack:
        for row, missed in prove(_place(stack)):
            _show(row)
            unseen += [missed] if missed else []
    print("\n".join(unseen or ["Each was seen."]), flush=True)
    return int(bool(unseen))


def _run(options: argparse.Namespace) -> list[Row]:
    rows = []
    with ExitStack() as stack:
        place = _place(stack)
        for path in options.path or (PATHS[:1] if options.short else PATHS):
            place.take(path)
            for fault in _faults(options, path):
                rows.append(trial.run(place, fault(), timed=not options.short))
                _show(rows[-1])
    return rows


def _show(row: Row) -> None:
    print(report.line(row), flush=True)
    for text in report.grouped(row):
        print(f"    {text}", flush=True)


def _faults(options: argparse.Namespace, path: str) -> list[type[Fault]]:
    fit = [fault for fault in FAULTS if path in fault.paths]
    if options.fault:
        return [fault for fault in fit if fault.name in options.fault]
    return [fault for fault in fit if fault.in_short or not options.short]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py test --cluster", description=__doc__)
    names = [fault.name for fault in FAULTS]
    parser.add_argument("--fault", choices=names, action="append", help="this one only; repeatable")
    parser.add_argument(
        "--path", choices=[*PATHS, "hosts"], action="append", help="this one only; repeatable"
    )
    parser.add_argument(
        "--short", action="store_true", help="fewer faults, on one path; no goal of seconds"
    )
    parser.add_argument(
        "--write", action="store_true", help="docs/explanation/reliability.md, from this run"
    )
    parser.add_argument(
        "--prove",
        action="store_true",
        help="only what the documents advise against, where each trial has to fail",
    )
    options = parser.parse_args()
    if options.write and (options.prove or options.fault or options.path or options.short):
        parser.error("--write takes a whole run")
    return options


def _end(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
