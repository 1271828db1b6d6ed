"""The state that the steps of a call share; and how steps are declared and run."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from .. import tracing
from ..models import Grant, Nonces, Service
from ..models.token import Token
from ..protocol.dpop import Proof
from ..protocol.results import GMAction, Result
from .messages import GMRequest


class Context:
    """A call, and what its steps have found so far.

    `now` is the database's time. `known` is the access token, where it was found together with the
    caller. `rehearse`: the answer is made, but no grant is revoked. The attributes that `__init__`
    leaves unset are set by the steps.
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
        """The access token; None until a step has found it."""
        return getattr(self, "token", None)


class Step(NamedTuple):
    """A step of a call. `title` says what must hold, and `run` raises Refused where it does not.

    `refusals` are the results that the trace reports at this step. `binding` is the attribute of
    the token (`x5t_s256` or `jkt`) without which the step is skipped. A step without a title is
    not in the trace: its refusals are reported at another step.
    """

    title: str
    run: Callable[[Context], None]
    refusals: frozenset[Result] = frozenset()
    binding: str = ""


def run_steps(steps: Iterable[Step], context: Context) -> None:
    """Run the steps in order, except those whose binding the token lacks. Refused: one refuses."""
    if tracing.tracer is not None:
        _run_traced(steps, context, tracing.tracer)
        return
    for step in steps:
        if not step.binding or getattr(context.token, step.binding):
            step.run(context)


def _run_traced(steps: Iterable[Step], context: Context, tracer: tracing.Tracer) -> None:
    for step in steps:
        if not step.binding or getattr(context.token, step.binding):
            with tracer.step(step.run.__name__):
                step.run(context)
