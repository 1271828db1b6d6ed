"""`run.py chaos`: checks that acknowledged writes outlive faults. Exit code 1: one did not.

On loopback, in new databases, in a bounded time: the long form takes less than 15 minutes, the
short one less than 90 seconds.
"""

import argparse
import dataclasses
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import NoReturn

from . import report, trial
from .databases import POSTGRESQL, SQLITE
from .faults import Fault
from .mutations import MUTATIONS, Mutation
from .place import Place
from .trial import Row, Timing

Task = tuple[type[Fault], type[Mutation]]


def main() -> int:
    """Run each fault on each database; then, where asked to, each mutation. The exit code."""
    options = _options()
    if sys.platform != "linux":
        print("The faults are brought about in Linux's ways: run.py chaos needs Linux.")
        return 2
    signal.signal(signal.SIGTERM, _end)
    began = time.monotonic()
    rows: list[Row] = []
    seen: dict[tuple[str, str], bool] = {}
    try:
        for database in _databases(options):
            _run(database, options, rows, seen)
    except KeyboardInterrupt:
        print("\nInterrupted: everything that was started has ended.", flush=True)
        return 130
    if options.write:
        report.write(rows, seen, _command(options))
    _print_end(rows, seen, time.monotonic() - began)
    if options.prove:
        return int(not all(seen.values()))
    return int(_failed(rows, options) or not all(seen.values()))


def _failed(rows: list[Row], options: argparse.Namespace) -> bool:
    """Whether a fault did harm, or a whole run tells nothing of proofs that are shown again."""
    is_whole = not (options.fault or options.mutate)
    return any(row.findings for row in rows) or (is_whole and not _shown_again(rows))


def _shown_again(rows: list[Row]) -> int:
    return sum(row.shown_again for row in rows)


def _run(
    database: str, options: argparse.Namespace, rows: list[Row], seen: dict[tuple[str, str], bool]
) -> None:
    """Run everything on one database, and add the results to `rows` and `seen`."""
    timing = _timing(options)
    with ExitStack() as stack:
        stack.callback(signal.signal, signal.SIGINT, signal.default_int_handler)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gm-chaos-")))
        folder.chmod(0o711)  # as root, PostgreSQL runs as another user, which must get in
        print(f"\n== Chaos on {database} ==\n", flush=True)
        place = Place(database, folder, stack, timeout=timing.timeout)
        stack.callback(signal.signal, signal.SIGINT, signal.SIG_IGN)  # while everything is ended
        if not options.prove:
            tasks = [(fault, _mutation(options)) for fault in _faults(database, options)]
            rows += _trials(place, tasks, timing, lambda row, mutation: None)
        if options.prove or options.write:
            short = dataclasses.replace(trial.SHORT, timeout=timing.timeout)
            _trials(
                place,
                _proofs(database, options),
                short,
                lambda row, mutation: seen.update(
                    {(mutation.name, database): mutation.seen(row.findings)}
                ),
            )


def _trials(
    place: Place, tasks: list[Task], timing: Timing, done: Callable[[Row, Mutation], None]
) -> list[Row]:
    """Run the trials, and print each row when it is there; `done` gets it with its mutation."""
    rows = []
    for kind, harm in tasks:
        fault, mutation = kind(), harm()
        row = trial.run(place, fault, timing, mutation, _sayer(fault.name))
        done(row, mutation)
        _say_row(row, mutation)
        rows.append(row)
    return rows


def _say_row(row: Row, mutation: Mutation) -> None:
    if mutation.name:
        told = "seen" if mutation.seen(row.findings) else "NOT SEEN"
        print(f"mutation {mutation.name} ({row.fault}): {told}", flush=True)
        return
    print(report.line(row), flush=True)
    for text in (*report.grouped(row.findings), *row.notes):
        print(f"    {text}", flush=True)
    if row.findings:
        print(f"    the first of these: {row.findings[0].victim}", flush=True)


def _sayer(name: str) -> trial.Say:
    """A function that shows on a terminal how far a trial is."""
    if not sys.stdout.isatty():
        return lambda text: None
    return lambda text: print(f"\r\033[K{name}: {text} …\r", end="", flush=True)


def _print_end(rows: list[Row], seen: dict[tuple[str, str], bool], seconds: float) -> None:
    failed = sum(bool(row.findings) for row in rows)
    ran = sum(not row.missing for row in rows)
    if rows:
        print(f"\n{ran - failed} of {ran} faults did no harm; {len(rows) - ran} were not run.")
        print(report.shown_again(_shown_again(rows)))
        print("Not yet held:", *report.NOT_YET_HELD, sep="\n  - ")
    if seen:
        print(f"\n{sum(seen.values())} of {len(seen)} mutations were seen.")
    print(f"{seconds:.0f} s", flush=True)


def _faults(database: str, options: argparse.Namespace) -> list[type[Fault]]:
    fit = [fault for fault in report.all_faults() if database in fault.databases]
    if options.mutate:
        return [fault for fault in fit if fault.name == MUTATIONS[options.mutate].fault]
    if options.fault:
        return [fault for fault in fit if fault.name in options.fault]
    return [fault for fault in fit if not options.short or database in fault.in_short]


def _mutation(options: argparse.Namespace) -> type[Mutation]:
    return MUTATIONS[options.mutate] if options.mutate else Mutation


def _databases(options: argparse.Namespace) -> list[str]:
    """The databases to run on; a mutation needs one only."""
    if options.db:
        return [options.db]
    if options.mutate:
        return [MUTATIONS[options.mutate].databases[0]]
    return [POSTGRESQL, SQLITE]


def _proofs(database: str, options: argparse.Namespace) -> list[Task]:
    """The mutations of this database, each with its fault.

    With `--prove` and no `--db`, each mutation runs on one database only.
    """
    faults = {fault.name: fault for fault in report.all_faults()}
    once = options.prove and not options.db
    return [
        (faults[one.fault], one)
        for one in MUTATIONS.values()
        if database in (one.databases[:1] if once else one.databases)
    ]


def _timing(options: argparse.Namespace) -> Timing:
    timing = trial.SHORT if options.short or options.mutate or options.prove else trial.LONG
    return dataclasses.replace(timing, fault=options.seconds) if options.seconds else timing


def _options() -> argparse.Namespace:
    names = [fault.name for fault in report.all_faults()]
    parser = argparse.ArgumentParser(prog="run.py chaos", description=__doc__)
    parser.add_argument("--db", choices=[POSTGRESQL, SQLITE], help="on this one only")
    parser.add_argument("--fault", choices=names, action="append", help="this one only; repeatable")
    parser.add_argument("--short", action="store_true", help="fewer and shorter faults")
    parser.add_argument("--seconds", type=float, metavar="N", help="how long each fault lasts")
    parser.add_argument("--mutate", choices=list(MUTATIONS), help="harm that must be seen")
    parser.add_argument("--prove", action="store_true", help="only the mutations, each in turn")
    parser.add_argument(
        "--write", action="store_true", help="docs/explanation/reliability.md, from this run"
    )
    options = parser.parse_args()
    part = options.db or options.fault or options.mutate or options.prove
    if options.write and part:
        parser.error("--write takes a whole run")
    if options.mutate and options.db not in (None, *MUTATIONS[options.mutate].databases):
        parser.error("this mutation is not for that database")
    return options


def _command(options: argparse.Namespace) -> str:
    return shlex.join(["python3", "run.py", "chaos", *sys.argv[1:]])


def _end(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
