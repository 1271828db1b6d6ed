"""The process of a variant, which waits for its turns."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ..processes import ROOT, SERVER_CORE
from .variants import Places, Variant


class Run:
    """A process of a variant. It has set its database up when this is made."""

    def __init__(
        self, url: str, variant: Variant, places: Places, own: Path, stack: ExitStack
    ) -> None:
        env = {**os.environ, "DATABASE_URL": url} | variant.environment(places, own)
        self._log = stack.enter_context((own / "log").open("w"))
        self._process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.observed.worker", *variant.listens],
                cwd=ROOT,
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                text=True,
                preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}),
            )
        )
        stack.callback(self._process.stdin.close)
        self.work_off()

    def time(self, kind: str, number: int, count: int) -> float:
        """Microseconds of CPU for each call of a kind in a round, with those of its threads."""
        return float(self._ask("time", kind, number, count))

    def work_off(self) -> dict[str, Any]:
        """Do what waits behind the calls; what each step took."""
        return dict(self._ask("work_off"))

    def _ask(self, *asked: Any) -> Any:
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(Path(self._log.name).read_text()[-2_000:])
        return json.loads(answer)
