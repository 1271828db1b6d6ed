"""One trial: a fault under load, the recovery, and the judgement."""

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from .bystander import Waits
from .faults import Fault
from .judge import judge, judge_log
from .load import HANDS, WATCHERS, Calls, Hand, Target, settle, show_again, watch
from .model import WRONG, Finding, Model
from .mutations import Mutation
from .place import Place
from .proofs import Key


@dataclass(frozen=True)
class Timing:
    """How long the parts of a trial take, in seconds, and whether it is the long form (`thorough`).

    `before` and `after`: load before and after the fault; `fault`: the fault itself; `limit`: until
    recovery is given up; `timeout`: how long a call waits. `rounds`: how often the fault comes.
    """

    before: float = 1.5
    fault: float = 5.0
    after: float = 1.5
    limit: float = 30.0
    timeout: float = 5.0
    rounds: int = 2
    thorough: bool = True


LONG = Timing()
SHORT = Timing(before=0.4, fault=0.8, after=0.4, limit=20.0, timeout=3.0, rounds=1, thorough=False)


@dataclass
class Row:
    """The result of a trial, a row of the table.

    `missing` says why the fault was not run. `recovery` and `waited` are in seconds; `recovery`
    None: there was none within the limit. `others`: what somebody waited whom it did not concern.
    `shown_again`: how many proofs that had been accepted were.
    """

    database: str
    fault: str
    missing: str = ""
    calls: int = 0
    acknowledged: int = 0
    unknown: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    recovery: float | None = None
    waited: float = 0.0
    others: Waits = field(default_factory=Waits)
    restarts: int = 0
    shown_again: int = 0
    notes: list[str] = field(default_factory=list)

    def number(self, kind: str) -> int:
        """How many findings of that kind there are."""
        return sum(finding.kind == kind for finding in self.findings)


Say = Callable[[str], None]


def run(place: Place, fault: Fault, timing: Timing, mutation: Mutation, say: Say) -> Row:
    """Run one trial, and return its row.

    Afterwards the place is as it was before, apart from the new grants.
    """
    row = Row(place.database.name, fault.name, fault.missing(place))
    if row.missing:
        return row
    place.new_log()
    model, target = Model(f"chaos-{secrets.token_hex(4)}"), place.target()
    mutation.begin(place, target, fault)
    say("prepares")
    fault.prepare(place, thorough=timing.thorough)
    with _Load(target, model, fault) as load:
        row.recovery = _rounds(place, fault, timing, row, model, say)
        if not load.alive:
            model.find(WRONG, "a thread of the load ended with an error", fault.name)
    say("is judged")
    settle(Calls(target, model))
    row.shown_again = show_again(Calls(target, model))
    if mutation.name:
        spare(Calls(target, model))
    mutation.end(place, model)
    judge(model, place.database, target)
    fault.check(place, model)
    _read_log(place, model, target, fault)
    return _filled(row, place, model, fault)


def _rounds(
    place: Place, fault: Fault, timing: Timing, row: Row, model: Model, say: Say
) -> float | None:
    """The seconds of the slowest recovery; None: one did not come within the limit."""
    slowest: float | None = 0.0
    rounds = 1 if fault.once else timing.rounds
    for number in range(rounds):
        say(f"loads ({number + 1} of {rounds})")
        time.sleep(timing.before)
        say("breaks")
        bystander = place.bystander(asks_database=fault.spares_reads(place))
        try:
            fault.inject(place, model)
            fault.hold(place, timing.fault)
        finally:
            say("heals")
            row.others = row.others.worst(bystander.end())
            began = time.monotonic()
            fault.heal(place, model)
        healed = time.monotonic() - began if fault.heal_counts else 0.0
        took = place.recover(timing.limit)
        if took is None:
            sentence = f"no recovery within {timing.limit:.0f} s: servers were started again"
            model.find(WRONG, sentence, fault.name)
            place.restart()
        slowest = None if took is None or slowest is None else max(healed + took, slowest)
        time.sleep(timing.after)
    return slowest


def spare(calls: Calls) -> None:
    """Make a live grant with a merge, and a revoked one, so that a mutation finds a victim."""
    hand = Hand(0, "hand-0", calls)
    until = time.monotonic() + 10
    while len(hand.grants) < 2 and time.monotonic() < until:  # the server may be busy
        hand.create()
    hand.merge(hand.grants[0])
    hand.issue(hand.grants[0], Key())
    for _ in range(8):  # each sends its proof twice, one after the other or at once
        hand.read(hand.grants[0])
    hand.revoke(hand.grants[1])
    hand.close()


class _Load:
    """The threads of the load, which run during the `with` block."""

    def __init__(self, target: Target, model: Model, fault: Fault) -> None:
        target.may_refuse = lambda: fault.may_refuse
        self._stop = threading.Event()
        hands = [Hand(n, f"hand-{n}", Calls(target, model)) for n in range(HANDS)]
        self._threads = [
            threading.Thread(target=hand.run, args=(self._stop,), daemon=True) for hand in hands
        ]
        self._threads += [
            threading.Thread(target=watch, args=(n, Calls(target, model), self._stop), daemon=True)
            for n in range(WATCHERS)
        ]

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


def _read_log(place: Place, model: Model, target: Target, fault: Fault) -> None:
    """Search the log for credentials; note how long it is if calls failed."""
    log = place.new_log()
    model.findings += judge_log(model, log, [target.api_token, *target.client_tokens.values()])
    failed = sum(number for code, number in model.refused.items() if code.startswith("A2771"))
    if failed:
        fault.notes.append(
            f"{failed:,} calls failed; the log of the servers has {log.count(chr(10)):,} lines"
        )


def _filled(row: Row, place: Place, model: Model, fault: Fault) -> Row:
    row.calls, row.acknowledged, row.unknown = model.calls, model.acknowledged, model.unknown
    row.refused, row.findings, row.waited = model.refused, model.findings, model.waited
    row.restarts = sum(server.restarts for server in place.servers)
    row.notes = list(dict.fromkeys(fault.notes))
    for server in place.servers:
        server.restarts = 0
    return row
