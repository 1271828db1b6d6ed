"""`doctor`: what is wrong with this deployment, and what to do about it."""

import contextlib
import sys
from collections.abc import Iterator
from typing import Any, Final

from django.core.checks import ERROR, CheckMessage, run_checks
from django.core.management.base import CommandParser

from ...db import apart, primary
from ...db.probe import DATABASE, MIGRATIONS, Probe
from ...db.readiness import Readiness
from ..advice import found
from ..base import GrantManagementCommand
from ..copies import check_copies
from ..load import Processes, check_connections, check_writers

PATIENCE: Final = 10
"""Seconds that the database has to answer the first question."""
OURS: Final = ("grant_management.", "grant_management_oauth_toolkit.", "gm_project.")


class Command(GrantManagementCommand):
    """Prints one line for each finding. Exit code 1: there is one.

    Run it with the environment of the server. Nothing is said of what cannot be known from inside,
    such as the number of workers where it is not given.
    """

    help = "Say what is wrong with this deployment, and what to do about it."
    requires_system_checks = []  # it runs them itself, and prints them

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the numbers of processes, and `--json`."""
        super().add_arguments(parser)
        known = "default: those of the standalone server"
        parser.add_argument("--workers", type=int, metavar="N", help=f"of each server; {known}")
        parser.add_argument("--threads", type=int, metavar="N", help=f"of each worker; {known}")
        parser.add_argument("--servers", type=int, default=1, metavar="N", help="default: 1")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the findings, and exit with 1 if there are any."""
        processes = Processes(options["workers"], options["threads"], options["servers"])
        findings = [one for one in _findings(processes) if not one.is_silenced()]
        text = "\n".join(map(_line, findings)) or "Nothing is wrong, as far as can be seen here."
        self.answer(options, {"findings": [_members(one) for one in findings]}, text)
        if findings:
            sys.exit(1)


def _findings(processes: Processes) -> list[CheckMessage]:
    """What the system checks find, with those of the database if it answers."""
    failing = {alias: _failing(alias) for alias in apart.databases()}
    well = [alias for alias, words in failing.items() if DATABASE not in words]
    return [
        *(one for alias, words in failing.items() for one in _said(alias, words)),
        *_checked(well),
        *(one for alias in well for one in _loads(alias, processes)),
        *(one for alias in well[1:] if apart.first() in well for one in check_copies(alias)),
    ]


def _failing(alias: str) -> tuple[str, ...]:
    with contextlib.closing(Probe(alias)) as probe:
        return Readiness(probe, PATIENCE).failing()


def _said(alias: str, failing: tuple[str, ...]) -> Iterator[CheckMessage]:
    """Where services live apart, the message names the database."""
    which = f"The database {alias}" if apart.is_on() else "The database"
    where = f" in {alias}" if apart.is_on() else ""
    if DATABASE in failing:
        message = f"{which} did not answer within {PATIENCE} seconds, or takes no writes."
        yield found("E017", message)
    elif MIGRATIONS in failing:
        yield found("E018", f"Migrations were not applied{where}.")


def _loads(alias: str, processes: Processes) -> list[CheckMessage]:
    with apart.database(alias):
        connection = primary.connection()
        return [*check_writers(connection, processes), *check_connections(connection, processes)]


def _checked(databases: list[str]) -> list[CheckMessage]:
    """What our own checks find, and the errors of all others."""
    messages = run_checks(include_deployment_checks=True, databases=databases)
    told = (one for one in messages if _id(one).startswith(OURS) or one.level >= ERROR)
    return sorted(told, key=_id)  # Django runs them in any order


def _id(message: CheckMessage) -> str:
    return message.id or ""


def _line(message: CheckMessage) -> str:
    return " ".join(f"{_id(message)}: {message.msg} {message.hint or ''}".split())


def _members(message: CheckMessage) -> dict[str, str]:
    level = "error" if message.level >= ERROR else "warning"
    hint = str(message.hint or "")
    return {"id": _id(message), "level": level, "message": str(message.msg), "hint": hint}
