"""The command line of `run.py`."""

import argparse
import os
import sys
from collections.abc import Callable
from typing import Final, TypeAlias

from ..options import port_number, worker_count
from . import commands
from .paths import ROOT

DESCRIPTION: Final = "Sets up .venv with the packages that it needs, then does what was asked."
TAKE_ANYTHING: Final = (commands.test, commands.bench, commands.chaos, commands.cluster)
"""Commands that hand unknown arguments on to the program that they run."""

_Command = Callable[[argparse.Namespace, list[str]], int]
_Added: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def main() -> int:
    """Run the command of the command line, and return its exit code."""
    parser = _parser()
    if len(sys.argv) == 1:
        parser.print_help()
        return 0
    options, rest = parser.parse_known_args()
    if rest and options.command not in TAKE_ANYTHING:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    os.chdir(ROOT)
    command: _Command = options.command
    return command(options, rest)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run.py", description=DESCRIPTION, epilog="Begin with: python3 run.py demo"
    )
    added = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_demo(added)
    _add_serve(added)
    _add(added, commands.manage, "run one of Django's commands, or ours").add_argument(
        "arguments", nargs=argparse.REMAINDER, metavar="ARGS"
    )
    _add_test(added)
    _add(added, commands.check, "lint, types, layers and migrations")
    _add(added, commands.bench, "measure the endpoint, beside peers and floors", own_help=False)
    _add(added, commands.chaos, "load, inject faults, and judge what was lost", own_help=False)
    _add(added, commands.cluster, "start a cluster on loopback, and break it", own_help=False)
    _add(added, commands.screenshots, "take the pictures of the documentation again")
    _add(added, commands.docs, "build the documents' site into build/docs")
    return parser


def _add(
    added: _Added, command: _Command, what: str, *, own_help: bool = True
) -> argparse.ArgumentParser:
    one = added.add_parser(command.__name__, help=what, description=what, add_help=own_help)
    one.set_defaults(command=command)
    return one


def _add_demo(added: _Added) -> None:
    one = _add(added, commands.demo, "start a server with sample data, and call it")
    one.add_argument("--once", action="store_true", help="end after the calls")
    one.add_argument("--port", type=port_number, help="default: 8000, or the next free one")


def _add_test(added: _Added) -> None:
    one = _add(added, commands.test, "run the tests, on SQLite and on PostgreSQL")
    one.add_argument("--db", choices=["sqlite", "postgresql"], help="on this one only")
    one.add_argument("--cluster", action="store_true", help="faults of a cluster, under load")


def _add_serve(added: _Added) -> None:
    one = _add(added, commands.serve, "migrate the database, then serve")
    one.add_argument("--host", default="127.0.0.1")
    one.add_argument("--port", type=port_number, default=8000)
    one.add_argument("--workers", type=worker_count, default=0, help="default: by the machine")
    one.add_argument("--only", choices=["api", "admin"], help="this door alone")
