"""What a worker does for ever: it sends what is due, looks again after a pause, and goes on after
errors.
"""

from typing import Final

from ..db import apart
from ..db.failures import settle, tell
from ..models import Stream, Webhook
from .delivering import deliver_next

PAUSE: Final = 1.0
"""Seconds between two looks where there is nothing to do."""
WITHOUT_RECEIVERS: Final = 5.0
"""Seconds where no service has a webhook or a stream, and after an error."""
TURN: Final = 100
"""Steps of one database before another one has its turn."""


def deliver_due() -> float:
    """Send what is due; the seconds until the next look. An error is logged as one line.

    Where services live apart, the databases have turns, and one that is away stops no other.
    """
    pauses = []
    for alias in apart.databases():
        with apart.database(alias):
            pauses.append(_deliver_due())
    return min(pauses)


def _deliver_due() -> float:
    """The same of the database in view: all of it where there is one, else `TURN` steps."""
    left = TURN if apart.is_on() else None
    try:
        while deliver_next():
            if left is not None and (left := left - 1) == 0:
                return 0.0
        is_listened_to = Webhook.objects.exists() or Stream.objects.exists()
        return PAUSE if is_listened_to else WITHOUT_RECEIVERS
    except Exception as error:  # noqa: BLE001 - the worker must go on, whatever failed
        tell(error, settle(error), "The delivery of events")
        return WITHOUT_RECEIVERS
