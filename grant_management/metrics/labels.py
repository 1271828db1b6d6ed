"""The label of a service: the first services that are met have one of their own.

Without a bound, a server for thousands of tenants would have thousands of series for each code.
"""

from pathlib import Path
from typing import Final

from . import processes

MOST: Final = 100
"""Services with a label of their own."""
OTHER: Final = "other"
_known: Final[dict[str, str]] = {}


def service_label(service: str) -> str:
    """The number of the service, or `other`; "" for a call of no service.

    Processes that count together agree on it, so no call of a service is counted under both.
    """
    label = _known.get(service)
    if label is None:
        label = _label(service)
        if label != OTHER or len(_known) < 100 * MOST:
            _known[service] = label
    return label


def _label(service: str) -> str:
    if not service:
        return ""
    if processes.are_several():
        return _shared_label(processes.folder() / "services", service)
    own = [label for label in _known.values() if label not in ("", OTHER)]
    return service if len(own) < MOST else OTHER


def _shared_label(path: Path, service: str) -> str:
    """By a list that the processes share: a file with one number a line."""
    with path.open("a+") as file:
        processes.hold(file)
        file.seek(0)
        listed = file.read().split()
        if service not in listed and len(listed) >= MOST:
            return OTHER
        if service not in listed:
            file.write(f"{service}\n")
        return service
