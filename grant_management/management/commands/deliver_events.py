"""`deliver_events [--once]`."""

import time
from typing import Any, Final

from django.core.management.base import CommandParser

from ...events.delivering import deliver_next
from ..base import GrantManagementCommand

PAUSE: Final = 0.5
"""Seconds between two looks where there is nothing to do."""


class Command(GrantManagementCommand):
    """Sends events to webhooks and streams, until it is ended."""

    help = (
        "Send the events of services to their webhooks and streams, and try again what failed. Run"
        " as many as you like, beside running servers, and end them at any time: what was on its"
        " way is sent again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add `--once`."""
        super().add_arguments(parser)
        parser.add_argument("--once", action="store_true", help="end when nothing is due")

    def handle(self, **options: Any) -> None:
        """Deliver; with `--once`, say how many steps were made."""
        steps = 0
        while True:
            if deliver_next():
                steps += 1
            elif options["once"]:
                break
            else:
                time.sleep(PAUSE)
        self.answer(options, {"steps": steps}, f"Nothing is due any more, after {steps} step(s).")
