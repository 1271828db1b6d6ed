"""A progress bar for long work, shown on a terminal only, and where rich is installed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec


@contextmanager
def progress(title: str, total: float | None = None) -> Iterator[Callable[[float], None]]:
    """A function that takes the amount of work that was done since its last call.

    `total` None: the bar shows the speed instead of a percentage.
    """
    if find_spec("rich") is None:
        yield lambda done: None
        return
    with _bar(title, total) as advance:
        yield advance


@contextmanager
def _bar(title: str, total: float | None) -> Iterator[Callable[[float], None]]:
    from rich import console as consoles
    from rich import progress as bars

    terminal = consoles.Console(stderr=True)
    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.TaskProgressColumn(show_speed=total is None),
        bars.TimeRemainingColumn(),
    )
    bar = bars.Progress(
        *columns, console=terminal, transient=True, disable=not terminal.is_terminal
    )
    with bar:
        task = bar.add_task(title, total=total)
        yield lambda done: bar.advance(task, done)
