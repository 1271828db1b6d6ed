"""A caller beside the load: how long somebody waits whom the fault does not concern.

A process of its own, so that it waits for the server alone: `python -m chaos.bystander PORT PATH`
calls the path again and again until its input ends, and prints what it saw as JSON. The first line
of its input has the headers, the second one the body; "": a GET.
"""

import http.client
import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any, Final

from .processes import ROOT, environment

PAUSE: Final = 0.02
"""Seconds between two calls."""
PATIENCE: Final = 15.0
"""Seconds that it waits for an answer."""


@dataclass(frozen=True)
class Waits:
    """How many calls there were, and milliseconds: the 99th percentile, and the longest."""

    calls: int = 0
    p99: float = 0.0
    longest: float = 0.0

    def worst(self, other: "Waits") -> "Waits":
        """Both together: of two percentiles the larger one."""
        return Waits(
            self.calls + other.calls, max(self.p99, other.p99), max(self.longest, other.longest)
        )


class Bystander:
    """Such a process, from its start to `end`."""

    def __init__(self, port: int, path: str, headers: dict[str, str], body: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "chaos.bystander", str(port), path],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(f"{json.dumps(headers)}\n{body}\n")
        self._process.stdin.flush()

    def end(self) -> Waits:
        """What it saw."""
        told, _ = self._process.communicate(timeout=60)
        return Waits(**json.loads(told))


def main(port: str, path: str) -> None:
    """Call until the input ends, and print the waits."""
    headers, body = json.loads(sys.stdin.readline()), sys.stdin.readline().strip()
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    waits = []
    while not ended.wait(PAUSE):
        waits.append(_call(int(port), path, headers, body))
    print(json.dumps(_seen(sorted(waits))))


def _seen(waits: list[float]) -> dict[str, Any]:
    if not waits:
        return vars(Waits())
    return {"calls": len(waits), "p99": waits[len(waits) * 99 // 100], "longest": waits[-1]}


def _call(port: int, path: str, headers: dict[str, str], body: str) -> float:
    """The milliseconds until the answer, whatever it was, or until there was none."""
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("POST" if body else "GET", path, body or None, headers)
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        pass  # it waited no longer
    finally:
        connection.close()
    return (time.monotonic() - began) * 1_000


if __name__ == "__main__":
    main(*sys.argv[1:])
