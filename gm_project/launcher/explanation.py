"""Why the set-up failed, and what to do: one sentence for what venv, pip or the system said."""

import re
from typing import Final

from .paths import ROOT

_REASONS: Final = (
    (
        r"Errno 28|Errno 122|No space left|No usable temporary|disk is full",
        "The disk is full, or your quota is: free 1 GB where {root} and the temporary files are,"
        " and run it again.",
    ),
    (
        r"Errno 13|Errno 30|Permission denied|Read-only file system|unable to open database file"
        r"|attempt to write a readonly",
        "{root} cannot be written by this user: copy it to a folder of your own, or run this as the"
        " folder's owner.",
    ),
    (
        r"ensurepip|No module named '?venv",
        "Python's venv module is missing or broken. On Debian and Ubuntu it is a package:"
        " apt-get install python3-venv",
    ),
    (
        r"DO NOT MATCH THE HASHES",
        "A package is not the one that was tested: its digest differs. Use an index that hands out"
        " packages unchanged, and run it again.",
    ),
    (
        r"NewConnectionError|ConnectTimeout|ReadTimeout|Max retries|ProxyError|SSLError"
        r"|Connection broken|Temporary failure|No matching distribution",
        "The packages could not be fetched: is the network reachable, or pip's index or proxy set?"
        " Then run it again.",
    ),
)
"""What is looked for, and what to do."""


def explained(said: str) -> str:
    """The sentence for what was said, and the last line of it."""
    words = said.strip().splitlines()
    last = f" ({words[-1].strip()[:300]})" if words else ""
    for pattern, advice in _REASONS:
        if re.search(pattern, said):
            return advice.format(root=ROOT) + last
    return f"{ROOT / '.venv'} could not be set up: mend what is said here, and run it again.{last}"
