"""What it costs to watch and to tell: `run.py bench observed`, and `--write` for the document.

Each variant is a process without a server, with a database of its own; the variants take turns,
round by round. A ratio is the median of the ratios of the rounds to the variant with all off. Times
are of the CPU: of the process, and of the backend of PostgreSQL that works for it.
"""

import os
import statistics
from argparse import Namespace
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from .. import targets
from ..processes import CORES
from . import databases, document, requests
from .receivers import collector, receiver
from .run import Run
from .variants import ALL_OFF, VARIANTS, Places, Variant

__all__ = ["document", "measure"]

ROUNDS = 11
CALLS = 12
"""Of a kind and of a variant in a round."""
GRANTS = (ROUNDS + 2) * CALLS * requests.STRIDE
"""Each write is about another grant."""


def measure(
    database: str, url: str, postmaster: Any, folder: Path, stack: ExitStack, options: Namespace
) -> dict[str, Any]:
    """By variant: the microseconds of each kind of call, and the ratios to all off; what is done
    behind the calls, by variant and step: microseconds for each event, and events a second.
    """
    targets.prepare(url, GRANTS, "", toolkit=False)
    places = Places(folder, stack.enter_context(collector()), stack.enter_context(receiver(folder)))
    runs = {one.name: _begin(one, url, folder, places, stack) for one in VARIANTS}
    _round(runs, 0)  # fills caches
    load, rounds = [_load()], []
    for number in range(1, ROUNDS + 1):
        rounds.append(_round(runs, number))
        load.append(_load())
    found = {"calls": _of_calls(rounds), "behind": _of_steps(rounds), "load": _median(load)}
    found |= {"rounds": ROUNDS, "each": CALLS}
    _show(found)
    return found | {"ratios": {}}


def _begin(variant: Variant, url: str, folder: Path, places: Places, stack: ExitStack) -> Run:
    print(f"preparing: {variant.name}", flush=True)
    place = folder / variant.slug
    place.mkdir()
    own = databases.copy(url, variant.slug, place)
    return Run(own, variant, places, place, stack)


def _round(runs: dict[str, Run], number: int) -> dict[str, Any]:
    """One round: a turn of each variant for each kind of call, then for what is done behind them.

    Each round begins with another variant.
    """
    names = list(runs)
    names = names[number % len(names) :] + names[: number % len(names)]
    calls = {kind: {n: runs[n].time(kind, number, CALLS) for n in names} for kind in requests.KINDS}
    return {"calls": calls, "behind": {name: runs[name].work_off() for name in names}}


def _of_calls(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """By variant and kind: the medians of the microseconds, and of the ratios to all off."""
    return {
        variant.name: {
            kind: {
                "us": _median([one["calls"][kind][variant.name] for one in rounds]),
                "ratio": _median([_ratio(one["calls"][kind], variant.name) for one in rounds]),
            }
            for kind in requests.KINDS
        }
        for variant in VARIANTS
    }


def _ratio(found: dict[str, float], name: str) -> float:
    return found[name] / found[ALL_OFF.name]


def _of_steps(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """By variant and step: the medians of the microseconds for each event, and of the rates."""
    made: dict[str, Any] = {}
    for variant in VARIANTS:
        for step in rounds[0]["behind"][variant.name]:
            done = [one["behind"][variant.name][step] for one in rounds]
            done = [one for one in done if one["count"]]
            if done:
                made.setdefault(variant.name, {})[step] = {
                    "us": _median([one["us"] / one["count"] for one in done]),
                    "rate": _median([one["count"] / one["seconds"] for one in done]),
                }
    return made


def _median(values: list[float]) -> float:
    return round(statistics.median(values), 3)


def _load() -> float:
    """Processes that want to run, for each core (the average of a minute)."""
    return os.getloadavg()[0] / len(CORES)


def _show(found: dict[str, Any]) -> None:
    for name, kinds in found["calls"].items():
        said = [f"{kind} {one['us']:7.1f} us {one['ratio']:6.3f}" for kind, one in kinds.items()]
        print(f"{name:32} {'  '.join(said)}")
    for name, steps in found["behind"].items():
        for step, one in steps.items():
            print(f"{name:32} {step:9} {one['us']:8.1f} us {one['rate']:8.0f} a second")
    print(f"load for each core: {found['load']}")
