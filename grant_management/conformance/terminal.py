"""The findings on a terminal: in colours where rich is installed, else plain."""

import contextlib
import io
import os
import sys
from typing import Any, Final

from .suite import Finding
from .verdict import Outcome

_MARKS: Final = {Outcome.PASSED: "✓", Outcome.FAILED: "✗", Outcome.SKIPPED: "~"}
_STYLES: Final = {Outcome.PASSED: "green", Outcome.FAILED: "red", Outcome.SKIPPED: "yellow"}


class Terminal:
    """Where a run is told. Its reader may go away (`| head`): the run goes on, and writes its
    files.
    """

    def __init__(self) -> None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            # Escape "✓" where the terminal cannot show it, instead of failing.
            sys.stdout.reconfigure(errors="backslashreplace")
        self._console = _console()

    def say(self, text: str, style: str = "") -> None:
        """Print a line; `style` is one of rich, which is not used without it."""
        if self._console is not None:
            self._console.print(text, style=style, markup=False)
            return
        try:
            print(text, flush=True)  # noqa: T201
        except BrokenPipeError:
            # The interpreter flushes it once more when it exits.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def tell(self, finding: Finding) -> None:
        """Print a finding as one line; below it what was seen and what to repair, if it failed."""
        one, outcome = finding.check, finding.outcome
        line = f"{_MARKS[outcome]} {outcome:<7} {one.number}  §{one.section}  {one.title}"
        self.say(line, _STYLES[outcome])
        if finding.detail:
            self.say(f"             {finding.detail}", "dim")
        if finding.repair:
            self.say(f"             → {finding.repair}")


def _console() -> Any:
    """A console of rich; None: it is not installed. The extra `conformance` installs it."""
    try:
        from rich.console import Console
    except ModuleNotFoundError:
        return None

    class Lasting(Console):
        def on_broken_pipe(self) -> None:
            """Print nothing more, but do not exit."""
            with contextlib.suppress(SystemExit):
                super().on_broken_pipe()

    return Lasting(highlight=False, soft_wrap=True, emoji=False)
