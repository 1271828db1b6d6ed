"""`deliver_events`, which sends its spans to the collector that the server sends its own to."""

import signal
import sys
from typing import Any

from django.conf import settings

from gm_project.serving import exporting
from grant_management.management.commands import deliver_events


class Command(deliver_events.Command):
    """The app's command, with this project's exporter of spans."""

    def handle(self, **options: Any) -> None:
        """Deliver. Where spans are sent, SIGTERM ends the process by itself: it sends the last."""
        if settings.TRACED:
            exporting.start()
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        super().handle(**options)
