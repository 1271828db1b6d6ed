"""What was acknowledged: the model that the database is compared with after a fault.

A write enters the model as MAYBE before it is sent: from then on it may have happened. Its answer
makes it YES or NO; no answer, or a failure of the server, leaves it MAYBE. Everything else is
derived from the writes.
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
    """A broken promise: its kind (lost, doubled or wrong), a sentence about it, and its victim.

    The victim is a grant ID, the subject of a grant whose ID is unknown, or the name of a fault.
    """

    kind: str
    sentence: str
    victim: str = ""


@dataclass(eq=False)
class Write:
    """A request that changes something. With a `key` it may be sent again (Idempotency-Key).

    `learn` is called with the answer that acknowledged it. `tried`: it was sent, and no outcome
    came.
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
    """Whether any of these writes happened: the most certain of them."""
    return max((write.sure for write in writes), default=Sure.NO)


@dataclass(eq=False)
class Token:
    """A token: the write that issued it, the writes that kill it, and the key it is bound to."""

    value: str
    issued: Write
    refresh: bool = False
    key: Any = None
    killers: list[Write] = field(default_factory=list)

    @property
    def lives(self) -> bool:
        """Whether it is certainly alive: it was issued, and no write that would kill it can have
        happened.
        """
        return self.issued.sure is Sure.YES and latest(self.killers) is Sure.NO

    @property
    def dead(self) -> bool:
        """Whether it is certainly dead: a write that kills it was acknowledged."""
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
        """Its ID; where no answer gave the ID, its subject, which no other grant has."""
        return self.grant_id or self.subject

    @property
    def is_open(self) -> bool:
        """Whether the outcome of any of its writes is unknown."""
        return any(write.sure is Sure.MAYBE for write in self.writes)

    @property
    def lives(self) -> bool:
        """Whether it is certainly alive: created, with tokens, and no revoke can have happened."""
        kinds = {write.kind for write in self.writes if write.sure is Sure.YES}
        return {CREATED, "issued"} <= kinds and self._latest(REVOKED) is Sure.NO

    @property
    def dead(self) -> bool:
        """Whether it is certainly dead: a revoke was acknowledged."""
        return self._latest(REVOKED) is Sure.YES

    def add(self, write: Write) -> Write:
        """Add a write that is about to be sent, also to the tokens that it will kill."""
        self.writes.append(write)
        for token in self.tokens:
            if write.kind in (REPLACED, REVOKED) or (write.kind == MERGED and token.refresh):
                token.killers.append(write)
        return write

    def usable(self, *, refresh: bool = False) -> Token | None:
        """The newest token of that kind that is certainly alive."""
        fit = (one for one in reversed(self.tokens) if one.refresh is refresh and one.lives)
        return next(fit, None)

    def events(self, kind: str) -> tuple[int, int]:
        """The least and the greatest number of events of that kind that there may be."""
        sure = [write.sure for write in self.writes if write.kind == kind]
        least = sum(one is Sure.YES for one in sure)
        if kind == REVOKED:  # a second revoke changes nothing
            return min(least, 1), min(sum(one is not Sure.NO for one in sure), 1)
        return least, sum(one is not Sure.NO for one in sure)

    def scopes(self) -> dict[str, Sure]:
        """The scopes that it may hold, and how certain each is."""
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


@dataclass(frozen=True)
class Accepted:
    """A DPoP proof that a QUERY was answered OK with; `made`: when, by the monotonic clock."""

    grant: Grant
    token: Token
    proof: str
    made: float


class Model:
    """All grants of one trial, the proofs that were accepted, the findings while it ran, and how
    calls were answered.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.grants: list[Grant] = []
        self.unsettled: list[tuple[Grant, Write]] = []
        self.accepted: list[Accepted] = []
        self.findings: list[Finding] = []
        self.calls = 0
        self.refused: Counter[str] = Counter()
        self.waited = 0.0
        self._lock = threading.Lock()

    def new_grant(self, client: str) -> Grant:
        """A grant that is yet to be created, for a subject of its own."""
        grant = Grant(client, f"{self.name}-{secrets.token_hex(8)}")
        self.grants.append(grant)
        return grant

    def count(self, refused: str, seconds: float) -> None:
        """Count a call; `refused` is the code or the problem, "" where it was fulfilled."""
        with self._lock:
            self.calls += 1
            self.waited = max(self.waited, seconds)
            if refused:
                self.refused[refused] += 1

    def find(self, kind: str, sentence: str, victim: str = "") -> None:
        """Note a finding."""
        self.findings.append(Finding(kind, sentence, victim))

    @property
    def acknowledged(self) -> int:
        """The number of writes that were acknowledged."""
        return sum(write.sure is Sure.YES for grant in self.grants for write in grant.writes)

    @property
    def unknown(self) -> int:
        """The number of writes whose outcome is unknown."""
        return sum(write.sure is Sure.MAYBE for grant in self.grants for write in grant.writes)
