"""What this process tells systemd: that it is ready, that it ends, that it is alive (sd_notify(3)).

Without systemd, which names its socket in `NOTIFY_SOCKET`, nothing is sent.
"""

import os
import socket
from typing import Final

WAIT: Final = 1.0
"""Seconds that a message may take: whoever has to hear it must not hold up the server."""


def notify(*assignments: str) -> bool:
    """Send assignments such as "READY=1", "STOPPING=1" or "WATCHDOG=1" in one message.

    systemd takes them from the unit's main process alone. False: nobody listens, or it did not
    arrive; the server goes on either way.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")) or not hasattr(socket, "AF_UNIX"):
        return False
    if address.startswith("@"):  # an abstract socket, which has no file (unix(7))
        address = f"\0{address[1:]}"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(WAIT)
            sender.sendto("\n".join(assignments).encode(), address)
    except OSError:
        return False
    return True


def watchdog_interval() -> float | None:
    """Seconds between two "WATCHDOG=1": half of the unit's `WatchdogSec` (sd_watchdog_enabled(3)).

    None: the unit has none, or it is meant for another process.
    """
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    if not (microseconds.isascii() and microseconds.isdigit()) or int(microseconds) == 0:
        return None
    return int(microseconds) / 2_000_000
