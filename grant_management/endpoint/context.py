"""What the steps of a call share: what was presented, and what they have found of it so far."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from ..models import Grant, Nonces, Service
from ..models.token import Token
from ..protocol.dpop import Proof
from ..protocol.results import GMAction, Result
from .messages import GMRequest


class Context:
    """A call on its way. `now` is the database's time; `known` the access token, where it was found
    together with the caller; `rehearse`: what the answer would be, and no grant is revoked.

    What has no value here is set by the step that finds it.
    """

    __slots__ = (
        "action",
        "content",
        "grant",
        "htu",
        "known",
        "nonces",
        "now",
        "proof",
        "rehearse",
        "request",
        "result",
        "service",
        "token",
    )
    action: GMAction
    token: Token
    htu: str
    proof: Proof
    grant: Grant
    result: Result

    def __init__(
        self,
        service: Service,
        request: GMRequest,
        now: datetime,
        known: Token | None = None,
        *,
        rehearse: bool = False,
    ) -> None:
        self.service = service
        self.request = request
        self.now = now
        self.known = known
        self.rehearse = rehearse
        self.nonces: Nonces | None = None
        self.content: str | None = None

    @property
    def presented(self) -> Token | None:
        """The token, where the steps got so far as to find it."""
        return getattr(self, "token", None)


class Step(NamedTuple):
    """A step of a call: what must hold, and how it is refused.

    `run` raises Refused with one of `refusals`. `binding` names what a token must be bound to for
    the step to be needed (`x5t_s256` or `jkt`). A step without a title checks nothing by itself.
    """

    title: str
    run: Callable[[Context], None]
    refusals: frozenset[Result] = frozenset()
    binding: str = ""


def run_steps(steps: Iterable[Step], context: Context) -> None:
    """One after the other. Refused: one of them does not hold."""
    for step in steps:
        if not step.binding or getattr(context.token, step.binding):
            step.run(context)
