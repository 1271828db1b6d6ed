"""Finds the addresses of a receiver, within a time, and judges them."""

import queue
import socket
import threading
from typing import Final

from ..conf import app_settings
from ..models.webhook_attempt import Outcome
from ..protocol.addresses import may_send_to

RESOLVE_WITHIN: Final = 5.0
"""Seconds for the system's resolver, which takes no deadline and may take minutes."""
TRIED: Final = 3
"""Of a name's addresses, so many are tried."""
Found = list[str] | None


class NotResolved(Exception):
    """There is no address that may be used."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


def addresses_of(host: str) -> list[str]:
    """The addresses of a host. NotResolved: it has none, or one of them is not allowed.

    One is enough to refuse: an attacker's name may have a public address beside a private one.
    """
    found = _resolved(host)
    if not found:
        raise NotResolved(Outcome.NOT_RESOLVED)
    if not all(may_send_to(one, app_settings.webhook_networks) for one in found):
        raise NotResolved(Outcome.NOT_ALLOWED)
    return found[:TRIED]


def _resolved(host: str) -> Found:
    """What the resolver finds; None: nothing, or not in time.

    A thread asks, which nobody has to wait for: it ends when the resolver gives up.
    """
    answer: queue.SimpleQueue[Found] = queue.SimpleQueue()
    asking = threading.Thread(target=lambda: answer.put(_asked(host)), name="dns", daemon=True)
    asking.start()
    try:
        return answer.get(timeout=RESOLVE_WITHIN)
    except queue.Empty:
        return None


def _asked(host: str) -> Found:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return None
    return list(dict.fromkeys(str(one[4][0]) for one in found))
