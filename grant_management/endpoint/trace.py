"""What a call would come to, check by check, without doing anything."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.db import transaction

from ..db import clock, primary
from ..models import AccessToken, Grant, Service
from ..protocol.results import Result
from .comparison import Compared, compare
from .flow import process_request
from .messages import GMRequest, GMResponse

R = Result
CHECKS: Final[tuple[tuple[str, str, frozenset[Result]], ...]] = (
    ("action", "gmAction is QUERY or REVOKE", frozenset({R.GM_ACTION_MISSING, R.GM_ACTION_UNKNOWN, R.GM_ACTION_NOT_HERE})),
    ("grantId", "grantId is there", frozenset({R.GRANT_ID_MISSING})),
    ("token", "accessToken is there", frozenset({R.ACCESS_TOKEN_MISSING})),
    ("token", "The service knows the access token", frozenset({R.ACCESS_TOKEN_UNKNOWN})),
    ("token", "The token, its grant and its client are alive", frozenset({R.ACCESS_TOKEN_EXPIRED, R.ACCESS_TOKEN_REVOKED, R.TOKEN_GRANT_DEAD, R.CLIENT_LOCKED})),
    ("certificate", "The certificate is the one that the token is bound to", frozenset({R.CERTIFICATE_MISSING, R.CERTIFICATE_UNREADABLE, R.CERTIFICATE_DIFFERS})),
    ("proof", "A DPoP proof is there", frozenset({R.PROOF_MISSING})),
    ("proof", "The URL of the client's request is known", frozenset({R.HTU_UNKNOWN})),
    ("proof", "The proof is valid (RFC 9449, section 4.3)", frozenset({R.PROOF_INVALID})),
    ("proof", "The proof's key is the one that the token is bound to", frozenset({R.PROOF_KEY_DIFFERS})),
    ("proof", "The proof has a nonce of this service, where one is required", frozenset({R.NONCE_REQUIRED})),
    ("proof", "The proof was not used before", frozenset({R.PROOF_REPLAYED})),
    ("scope", "The token has the scope of the action", frozenset({R.SCOPE_MISSING})),
    ("grant", "The grant is there, and alive", frozenset({R.GRANT_NOT_FOUND})),
    ("grant", "The grant is the token's client's and subject's", frozenset({R.GRANT_OF_OTHER_CLIENT, R.GRANT_OF_OTHER_SUBJECT})),
)  # fmt: skip
"""The contract's rows in their order: what each is about, what must hold, how it is refused."""


class State(StrEnum):
    """What became of a check."""

    PASSED = "passed"
    REFUSED = "refused"
    NOT_NEEDED = "not needed"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True)
class Step:
    """A check, and what became of it; why, where it refused; and what it compared, where that is
    no credential.
    """

    title: str
    state: State
    why: str = ""
    expected: str = ""
    presented: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a call was about: the access token and the grant, where the service has them."""

    token: AccessToken | None
    grant: Grant | None

    @classmethod
    def of(cls, service: Service, call: GMRequest) -> "Subject":
        """2 queries."""
        return cls(_token(service, call.access_token), _grant(service, call.grant_id))


def explain(service: Service, call: GMRequest) -> tuple[GMResponse, list[Step]]:
    """The answer that would go out, and how it came about.

    The checks themselves run, in a transaction that is rolled back, so that no proof is burnt; a
    REVOKE ends before the grant is touched, so that nobody is told.
    """
    with primary.atomic():
        about = Subject.of(service, call)
        answer = process_request(service, call, clock.now(), rehearse=True)
        transaction.set_rollback(True, using=primary.alias())
    return answer, steps_of(call, about, answer)


def steps_of(call: GMRequest, about: Subject, answer: GMResponse) -> list[Step]:
    """Each check of the contract, in its order."""
    skipped = _not_needed(about.token)
    compared = compare(call, about.token, about.grant, answer)
    steps: list[Step] = []
    refused = False
    for group, title, refusals in CHECKS:
        if refused:
            steps.append(Step(title, State.NOT_REACHED))
            continue
        refused = answer.result in refusals
        state = State.REFUSED if refused else State.PASSED
        if group in skipped and not refused:
            steps.append(Step(title, State.NOT_NEEDED))
        else:
            why = answer.message if refused else ""
            steps.append(Step(title, state, why, *_compared(compared, refusals)))
    return steps


def _compared(compared: Compared, refusals: frozenset[Result]) -> tuple[str, str]:
    return next((pair for result, pair in compared.items() if result in refusals), ("", ""))


def _not_needed(token: AccessToken | None) -> set[str]:
    """The groups of checks that this token does not ask for."""
    if token is None:
        return set()
    binding = {"certificate": token.x5t_s256, "proof": token.jkt}
    return {group for group, bound in binding.items() if not bound}


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
