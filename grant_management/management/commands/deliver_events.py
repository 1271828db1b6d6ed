"""`deliver_events [--once] [--metrics-port PORT]`."""

import time
from typing import Any

from django.core.management.base import CommandError, CommandParser

from ...conf import app_settings
from ...events.delivering import deliver_next
from ...events.working import deliver_due
from ...instrumentation import start_if_wanted
from ..base import GrantManagementCommand


class Command(GrantManagementCommand):
    """Sends events to webhooks and streams, until it is ended."""

    help = (
        "Send the events of services to their webhooks and streams, and try again what failed. Run"
        " as many as you like, beside running servers, and end them at any time: what was on its"
        " way is sent again. It goes on after errors of the database."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add `--once` and `--metrics-port`."""
        super().add_arguments(parser)
        parser.add_argument("--once", action="store_true", help="end when nothing is due")
        parser.add_argument(
            "--metrics-port",
            type=int,
            metavar="PORT",
            help="a port of 127.0.0.1 at which Prometheus finds what this process counts",
        )

    def handle(self, **options: Any) -> None:
        """Deliver; with `--once`, say how many steps were made.

        CommandError: metrics are off, or their port is taken; with `--once`, the database failed.
        """
        start_if_wanted()
        if options["metrics_port"] is not None:
            _serve_metrics(options["metrics_port"])
        while not options["once"]:
            time.sleep(deliver_due())
        self._steps = 0
        self.in_each_database(self._deliver)
        text = f"Nothing is due any more, after {self._steps} step(s)."
        self.answer(options, {"steps": self._steps}, text)

    def _deliver(self) -> None:
        while deliver_next():
            self._steps += 1


def _serve_metrics(port: int) -> None:
    if not app_settings.metrics:
        raise CommandError("Nothing is counted: METRICS is off (standalone: set METRICS_PORT).")
    from ...metrics import exposition

    try:
        exposition.serve(port)
    except (OSError, OverflowError):
        raise CommandError(f"The port {port} of 127.0.0.1 cannot be opened.") from None
