"""A thread of each worker sends events to webhooks and streams, unless `DELIVER_EVENTS` is off.

Workers share the work by row locks, so each sends something else. The thread ends with its process,
at any point: what it was sending is sent again when its claim ends.
"""

import random
import threading
import time

from django.conf import settings
from django.db import connections

from grant_management.db.write_slots import uncounted
from grant_management.events.working import deliver_due


def start() -> None:
    """Deliver from now on, in a daemon thread; do nothing where the setting is off."""
    if settings.DELIVER_EVENTS:
        threading.Thread(target=_deliver_for_ever, name="deliver", daemon=True).start()


def _deliver_for_ever() -> None:
    while True:
        # At differing times, so that the workers do not all look at once.
        time.sleep(deliver() * random.uniform(0.75, 1.25))  # noqa: S311 - no secret


def deliver() -> float:
    """Send what is due; the seconds until the next look. No connection stays open meanwhile."""
    try:
        with uncounted():
            return deliver_due()
    finally:
        connections.close_all()
