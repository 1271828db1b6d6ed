"""A thread of each worker sends events to webhooks and streams, unless `DELIVER_EVENTS` is off.

Workers share the work by row locks, so each sends something else. The thread ends with its process,
at any point: what it was sending is sent again when its claim ends.
"""

import random
import threading
import time
from typing import Final

from django.conf import settings
from django.db import connections

from grant_management.db.failures import settle, tell
from grant_management.db.write_slots import uncounted
from grant_management.events.delivering import deliver_next
from grant_management.models import Stream, Webhook

PAUSE: Final = 1.0
"""Seconds between two looks where there is nothing to do."""
WITHOUT_WEBHOOKS: Final = 5.0
"""Seconds where no service has a webhook or a stream, and after an error."""


def start() -> None:
    """Deliver from now on, in a daemon thread; do nothing where the setting is off."""
    if settings.DELIVER_EVENTS:
        threading.Thread(target=_deliver_for_ever, name="deliver", daemon=True).start()


def _deliver_for_ever() -> None:
    while True:
        # At differing times, so that the workers do not all look at once.
        time.sleep(deliver() * random.uniform(0.75, 1.25))  # noqa: S311 - no secret


def deliver() -> float:
    """Send what is due; the seconds until the next look. An error is logged as one line."""
    try:
        with uncounted():
            while deliver_next():
                pass
            is_listened_to = Webhook.objects.exists() or Stream.objects.exists()
            return PAUSE if is_listened_to else WITHOUT_WEBHOOKS
    except Exception as error:  # noqa: BLE001 - the thread must go on, whatever failed
        tell(error, settle(error), "The delivery of events")
        return WITHOUT_WEBHOOKS
    finally:
        connections.close_all()
