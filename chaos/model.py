"""What was acknowledged: the model that the database is held against after a fault.

A write is in the model before it is sent, as MAYBE: from then on nobody can say whether it
happened. Its answer makes it YES or NO; no answer, or a failure of the server, leaves it MAYBE.
Everything else is worked out from the writes.
"""

import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

CREATED, MERGED, REPLACED, REVOKED = "created", "merged", "replaced", "revoked"
EVENTS = (CREATED, MERGED, REPLACED, REVOKED)
"""Kinds of writes that leave exactly one event each."""
LOST, DOUBLED, WRONG = "lost", "doubled", "wrong"


class Sure(IntEnum):
    """Whether a write happened."""

    NO = 0
    MAYBE = 1
    YES = 2


@dataclass(frozen=True)
class Finding:
    """A promise that was broken: how, in which words, and on what (a grant ID, a subject …)."""

    kind: str
    sentence: str
    victim: str = ""


@dataclass(eq=False)
class Write:
    """A request that changes something. With a `key` it may be sent again (Idempotency-Key).

    `learn` is told the answer that acknowledged it; `tried`: it was sent, and no outcome came.
    """

    kind: str
    path: str
    body: dict[str, Any]
    scopes: frozenset[str] = frozenset()
    key: str = ""
    sure: Sure = Sure.MAYBE
    tried: bool = False
    learn: Callable[[dict[str, Any]], None] = lambda _answer: None


def latest(writes: Iterable[Write]) -> Sure:
    """Whether any of these happened."""
    return max((write.sure for write in writes), default=Sure.NO)


@dataclass(eq=False)
class Token:
    """A token: the write that issued it, those that kill it, and the key that it is bound to."""

    value: str
    issued: Write
    refresh: bool = False
    key: Any = None
    killers: list[Write] = field(default_factory=list)

    @property
    def lives(self) -> bool:
        """Certainly: it was issued, and nothing that could kill it was sent."""
        return self.issued.sure is Sure.YES and latest(self.killers) is Sure.NO

    @property
    def dead(self) -> bool:
        """Certainly: what kills it was acknowledged."""
        return latest(self.killers) is Sure.YES


@dataclass(eq=False)
class Grant:
    """A grant: its writes in the order in which they were sent, and its tokens."""

    client: str
    subject: str
    grant_id: str = ""
    writes: list[Write] = field(default_factory=list)
    tokens: list[Token] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its ID; its subject, which is its own, where no answer told the ID."""
        return self.grant_id or self.subject

    @property
    def is_open(self) -> bool:
        """Whether the outcome of one of its writes is not known."""
        return any(write.sure is Sure.MAYBE for write in self.writes)

    @property
    def lives(self) -> bool:
        """Certainly: created, issued to, and no revoke was sent."""
        kinds = {write.kind for write in self.writes if write.sure is Sure.YES}
        return {CREATED, "issued"} <= kinds and self._latest(REVOKED) is Sure.NO

    @property
    def dead(self) -> bool:
        """Certainly: a revoke was acknowledged."""
        return self._latest(REVOKED) is Sure.YES

    def add(self, write: Write) -> Write:
        """The write, which is about to be sent; the tokens that it will kill know it."""
        self.writes.append(write)
        for token in self.tokens:
            if write.kind in (REPLACED, REVOKED) or (write.kind == MERGED and token.refresh):
                token.killers.append(write)
        return write

    def usable(self, *, refresh: bool = False) -> Token | None:
        """The newest token of that kind that certainly lives."""
        fit = (one for one in reversed(self.tokens) if one.refresh is refresh and one.lives)
        return next(fit, None)

    def events(self, kind: str) -> tuple[int, int]:
        """How many events of that kind there are at the least, and at the most."""
        sure = [write.sure for write in self.writes if write.kind == kind]
        least = sum(one is Sure.YES for one in sure)
        if kind == REVOKED:  # a second revoke changes nothing
            return min(least, 1), min(sum(one is not Sure.NO for one in sure), 1)
        return least, sum(one is not Sure.NO for one in sure)

    def scopes(self) -> dict[str, Sure]:
        """What it holds, and how certain that is."""
        held: dict[str, Sure] = {}
        for write in self.writes:
            if write.kind == REPLACED:
                held = _replaced(held, write)
            elif write.kind in (CREATED, MERGED):
                held |= {name: max(held.get(name, Sure.NO), write.sure) for name in write.scopes}
        return held

    def _latest(self, kind: str) -> Sure:
        return latest(write for write in self.writes if write.kind == kind)


def _replaced(held: dict[str, Sure], write: Write) -> dict[str, Sure]:
    if write.sure is Sure.NO:
        return held
    if write.sure is Sure.YES:
        return dict.fromkeys(write.scopes, Sure.YES)
    both = held.keys() | write.scopes
    kept = {name for name in write.scopes if held.get(name) is Sure.YES}
    return {name: Sure.YES if name in kept else Sure.MAYBE for name in both}


class Model:
    """All grants of one trial, what was found wrong while it ran, and how calls were answered."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.grants: list[Grant] = []
        self.unsettled: list[tuple[Grant, Write]] = []
        self.findings: list[Finding] = []
        self.calls = 0
        self.refused: Counter[str] = Counter()
        self.waited = 0.0
        self._lock = threading.Lock()

    def new_grant(self, client: str) -> Grant:
        """A grant to be created, for a subject of its own."""
        grant = Grant(client, f"{self.name}-{secrets.token_hex(8)}")
        self.grants.append(grant)
        return grant

    def count(self, refused: str, seconds: float) -> None:
        """A call; `refused` is the code or the reason, "" where it was fulfilled."""
        with self._lock:
            self.calls += 1
            self.waited = max(self.waited, seconds)
            if refused:
                self.refused[refused] += 1

    def find(self, kind: str, sentence: str, victim: str = "") -> None:
        """Note a broken promise."""
        self.findings.append(Finding(kind, sentence, victim))

    @property
    def acknowledged(self) -> int:
        """Writes that were answered as done."""
        return sum(write.sure is Sure.YES for grant in self.grants for write in grant.writes)

    @property
    def unknown(self) -> int:
        """Writes of which nobody was told whether they happened."""
        return sum(write.sure is Sure.MAYBE for grant in self.grants for write in grant.writes)
