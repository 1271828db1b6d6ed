"""One trial: a fault under load, and the judgement of what was acknowledged."""

import secrets
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from chaos.judge import judge, judge_log
from chaos.load import HANDS, WATCHERS, Calls, Hand, Prover, settle, show_again, watch
from chaos.model import DOUBLED, LOST, WRONG, Finding, Model
from chaos.wire import CLOSED, TIMED_OUT

from .faults import Fault
from .gauge import Gauge
from .place import Place

BEFORE, AFTER = 2.0, 2.0
"""Seconds of load before the fault and after it."""
WHOLE: Final = 60.0
"""Seconds that the cluster has to become whole again once a fault is healed."""
IN_HAND: Final = 5.0
"""Seconds after which what was in hand when a fault began has been answered."""
STALE: Final = "a QUERY that began after an acknowledged revoke was answered OK"
BUSY: Final = "A277103"


@dataclass
class Row:
    """The result of a trial. `no_reads`, `no_writes`: seconds without success.

    `missing` says why the fault was not run; `shown_again`: how many proofs were.
    """

    fault: str
    path: str
    missing: str = ""
    calls: int = 0
    shown_again: int = 0
    no_reads: float = 0.0
    no_writes: float = 0.0
    findings: list[Finding] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def lost(self) -> int:
        """Acknowledged writes that are not there."""
        return sum(one.kind == LOST for one in self.findings) - self.stale

    @property
    def stale(self) -> int:
        """Answers that did not know of an acknowledged revoke."""
        return sum(one.sentence == STALE for one in self.findings)

    @property
    def replayed(self) -> int:
        """Proofs and refresh tokens that were accepted twice, and writes that are there twice."""
        return sum(one.kind == DOUBLED for one in self.findings)

    @property
    def wrong(self) -> int:
        """Everything else that breaks a promise."""
        return sum(one.kind == WRONG for one in self.findings)


def run(place: Place, fault: Fault, *, timed: bool) -> Row:
    """Run one trial on the path that the servers are on, and return its row.

    `timed`: the goal of seconds is one of the promises. A machine that does other things besides
    may miss it.
    """
    row = Row(fault.name, place.path, fault.missing(place.cluster))
    if row.missing:
        return row
    if not place.settle(WHOLE):
        raise RuntimeError("the cluster is not whole, or the servers do not work")
    model, gauge = Model(f"cluster-{secrets.token_hex(4)}"), Gauge(place)
    with _Load(place, model) as load, gauge:
        time.sleep(BEFORE)
        began, alone, ended = _bring_about(place, fault)
        if not place.settle(WHOLE):
            model.find(WRONG, f"not whole within {WHOLE:.0f} s", fault.name)
        time.sleep(AFTER)
        if not load.alive:
            model.find(WRONG, "a thread of the load ended with an error", fault.name)
    row.no_reads = gauge.gap("reads", began, ended)
    row.no_writes = gauge.gap("writes", began, ended)
    if timed:
        _time(row, fault, model)
    if fault.stops_writes:
        _refusals(gauge, alone, ended, fault, model)
    row.shown_again = _ask_again(Calls(place.target(), model), fault)
    _hangs(gauge, fault, model)
    judge(model, place, place.target())
    model.findings += judge_log(model, place.log(), place.credentials())
    row.calls, row.refused, row.findings = model.calls, model.refused, model.findings
    return row


def _ask_again(calls: Calls, fault: Fault) -> int:
    """What is still unknown of writes; and whether a proof was forgotten that was accepted. How
    many of these were shown.
    """
    settle(calls)
    judged = show_again(calls)
    calls.close()
    if not judged:
        calls.model.find(WRONG, "no proof was left that could be shown again", fault.name)
    return judged


def _bring_about(place: Place, fault: Fault) -> tuple[float, float, float]:
    """When it began; from when on it alone decides what succeeds; and when it was taken away."""
    began = time.monotonic()
    try:
        fault.inject(place.cluster)
        alone = time.monotonic() + IN_HAND
        least = 2 * IN_HAND if fault.stops_writes else 0.0
        time.sleep(max(fault.hold, least))  # from now: a busy machine is slow to bring it about
    finally:
        ended = time.monotonic()
        fault.heal(place.cluster)
    return began, alone, ended


def _time(row: Row, fault: Fault, model: Model) -> None:
    """Note findings where there was no success for longer than the goal."""
    if row.no_reads > fault.goal:
        model.find(WRONG, f"no read for {row.no_reads:.1f} s", fault.name)
    if row.no_writes > fault.goal and not fault.stops_writes:
        model.find(WRONG, f"no write for {row.no_writes:.1f} s", fault.name)


def _refusals(gauge: Gauge, begin: float, end: float, fault: Fault, model: Model) -> None:
    """Note findings where writes were fulfilled, or failed in another way than as busy; and where
    no read was fulfilled.
    """
    if not gauge.succeeded("reads", begin, end):
        model.find(WRONG, "no bearer QUERY was fulfilled without a standby", fault.name)
    if gauge.succeeded("writes", begin, end):
        model.find(WRONG, "writes were acknowledged that no standby has", fault.name)
    codes = gauge.codes("writes")
    if BUSY not in codes or not codes <= {BUSY, CLOSED}:
        model.find(WRONG, f"writes were not refused as busy: {sorted(codes)}", fault.name)


def _hangs(gauge: Gauge, fault: Fault, model: Model) -> None:
    """Note a finding where a call got no answer, and its connection was not closed either."""
    probed = gauge.codes("reads") | gauge.codes("writes")
    if TIMED_OUT in probed or model.refused[TIMED_OUT]:
        model.find(WRONG, "a call hung", fault.name)


class _Load:
    """The threads of the load, which run during the `with` block."""

    def __init__(self, place: Place, model: Model) -> None:
        self._stop, target = threading.Event(), place.target()
        hands = [Hand(n, f"hand-{n}", Calls(target, model)) for n in range(HANDS)]
        hands.append(Prover(HANDS, "hand-0", Calls(target, model)))
        work = [lambda hand=hand: hand.run(self._stop) for hand in hands]
        work += [lambda n=n: watch(n, Calls(target, model), self._stop) for n in range(WATCHERS)]
        self._threads = [threading.Thread(target=one, daemon=True) for one in work]

    def __enter__(self) -> "_Load":
        for thread in self._threads:
            thread.start()
        return self

    @property
    def alive(self) -> bool:
        """Whether every thread still runs."""
        return all(thread.is_alive() for thread in self._threads)

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)
