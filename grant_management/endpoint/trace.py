"""The trace of a call: the outcome of each check, and the values that it compared."""

from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction

from ..db import clock, primary
from ..models import AccessToken, Grant, Service
from ..protocol.marked import marked as _
from .comparison import Compared, compare
from .context import Context, Step
from .flow import STEPS, process
from .messages import GMRequest, GMResponse


class State(StrEnum):
    """The outcome of a check."""

    PASSED = _("passed")
    REFUSED = _("refused")
    NOT_NEEDED = _("not needed")
    NOT_REACHED = _("not reached")


@dataclass(frozen=True, slots=True)
class TracedStep:
    """A check of a call and its outcome.

    `why` is the message of its refusal, else "". `expected` and `presented` are the values that it
    compared, or "": credentials are not shown.
    """

    title: str
    state: State
    why: str = ""
    expected: str = ""
    presented: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """The access token and the grant that a call names, where the service has them."""

    token: AccessToken | None
    grant: Grant | None

    @classmethod
    def by(cls, request: GMRequest, service: Service) -> "Named":
        """Find both, active or not: at most 2 queries."""
        return cls(_token(service, request.access_token), _grant(service, request.grant_id))


def explain(service: Service, request: GMRequest) -> tuple[GMResponse, list[TracedStep]]:
    """The answer that the call would get, and its trace.

    The real checks run, in a transaction that is rolled back, so that no proof is used up. A REVOKE
    ends before the grant is changed, so that no signal is sent about it.
    """
    with primary.atomic():
        named = Named.by(request, service)
        answer = process(Context(service, request, clock.now(), rehearse=True))
        transaction.set_rollback(True, using=primary.alias())
    return answer, trace(request, named, answer)


def trace(request: GMRequest, named: Named, answer: GMResponse) -> list[TracedStep]:
    """Each check of the contract with its outcome, in the order in which they run."""
    compared = compare(request, named.token, named.grant, answer)
    checks: list[TracedStep] = []
    refused = False
    for step in STEPS:
        if not step.title:
            continue
        if refused:
            checks.append(TracedStep(step.title, State.NOT_REACHED))
        elif answer.result in step.refusals:
            refused = True
            pair = _compared(compared, step)
            checks.append(TracedStep(step.title, State.REFUSED, answer.message, *pair))
        elif named.token is not None and not _is_needed(step, named.token):
            checks.append(TracedStep(step.title, State.NOT_NEEDED))
        else:
            checks.append(TracedStep(step.title, State.PASSED, "", *_compared(compared, step)))
    return checks


def _compared(compared: Compared, step: Step) -> tuple[str, str]:
    return next((pair for result, pair in compared.items() if result in step.refusals), ("", ""))


def _is_needed(step: Step, token: AccessToken) -> bool:
    return not step.binding or bool(getattr(token, step.binding))


def _token(service: Service, value: str) -> AccessToken | None:
    try:
        return AccessToken.objects.presented(service, value)
    except AccessToken.DoesNotExist:
        return None


def _grant(service: Service, grant_id: str) -> Grant | None:
    try:
        return Grant.objects.known(service, grant_id)
    except Grant.DoesNotExist:
        return None
