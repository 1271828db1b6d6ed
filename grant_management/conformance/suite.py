"""Declaring and running checks."""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from .disclosure import printable
from .server_under_test import ServerUnderTest
from .verdict import Failure, Outcome, Skip

Run = Callable[[ServerUnderTest], None]


@dataclass(frozen=True)
class Check:
    """One requirement: its number, the section of the draft, what must hold, and its function.

    The function raises Failure or Skip; otherwise the check has passed. `repair` says what a server
    has to do that fails.
    """

    number: str
    section: str
    title: str
    run: Run
    repair: str


@dataclass(frozen=True)
class Finding:
    """The outcome of a check; `seconds` is how long it took.

    `detail` says why it did not pass, and `repair` what to do where it failed; otherwise they are
    "". Neither has a credential or a control character.
    """

    check: Check
    outcome: Outcome
    detail: str
    seconds: float
    repair: str = ""


def declare(
    checks: list[Check], repairs: Mapping[str, str]
) -> Callable[[str, str, str], Callable[[Run], Run]]:
    """A decorator that adds a check to this list; it takes a number, a section and a title.

    `repairs` says by number what to do where the check fails.
    """

    def check(number: str, section: str, title: str) -> Callable[[Run], Run]:
        def add(run: Run) -> Run:
            checks.append(Check(number, section, title, run, repairs[number]))
            return run

        return add

    return check


def run_all(checks: Iterable[Check], server: ServerUnderTest) -> Iterator[Finding]:
    """Run the checks in their order, and yield each finding as soon as it is made."""
    for check in checks:
        start = time.monotonic()
        outcome, detail, repair = _run(check, server)
        shown = printable(server.secrets.hide(detail))
        yield Finding(check, outcome, shown, time.monotonic() - start, repair)


def _run(check: Check, server: ServerUnderTest) -> tuple[Outcome, str, str]:
    """The outcome, why, and what to repair."""
    try:
        check.run(server)
    except Skip as skip:
        return Outcome.SKIPPED, str(skip), ""
    except Failure as failure:
        return Outcome.FAILED, str(failure), failure.repair or _repair(check, str(failure))
    except Exception as error:  # noqa: BLE001 - nothing that a server does may end the run
        return Outcome.FAILED, f"{type(error).__name__}: {error}", check.repair
    return Outcome.PASSED, "", ""


def _repair(check: Check, detail: str) -> str:
    """The check's own sentence, unless an earlier check has to pass first."""
    first = re.search(r"(GM-\d\d) failed$", detail)
    return f"Repair {first[1]} first." if first else check.repair
