"""Starts metrics and spans in a process: a server, or a worker that delivers events."""

from .conf import app_settings


def start_if_wanted() -> None:
    """Count and make spans from now on, as far as `METRICS` and `TRACES` are on.

    Their packages are needed, and loaded, only then.
    """
    if app_settings.metrics:
        from .metrics import counters

        counters.start()
    if app_settings.traces:
        from . import traces

        traces.start()
