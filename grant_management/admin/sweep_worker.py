"""Works on a revoke by filter in a thread of the process that started or resumed it."""

import threading
from typing import Final

from django.db import Error, connections

from ..db import apart
from ..db.failures import settle, tell
from ..models import Sweep

BATCH: Final = 500
"""Grants that are revoked in one transaction."""


def work_in_background(sweep: Sweep) -> None:
    """Work on a sweep in a thread of this process, unless it is paused, finished or claimed.

    If the process ends, the sweep is stopped; its page and a command can resume it.
    """
    if sweep.claim():
        name = f"sweep-{sweep.pk}"
        work = apart.carried(_work)
        threading.Thread(target=work, args=(sweep,), name=name, daemon=True).start()


def _work(sweep: Sweep) -> None:
    try:
        for _number in sweep.work(BATCH):
            pass
    except Error as error:
        tell(error, settle(error), f"The revoke by filter {sweep.pk}")
    finally:
        # Django closes connections at the end of a request, but this thread serves none.
        connections.close_all()
