"""What a check comes to, and how it says so."""

from enum import StrEnum


class Outcome(StrEnum):
    """What a check came to."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Failure(Exception):
    """The server does not do what the draft says. The message says what it does."""


class Skip(Exception):
    """The check cannot be done, because the operator gave too little. The message says what."""


def require(condition: bool, message: str) -> None:
    """Failure where the condition does not hold."""
    if not condition:
        raise Failure(message)
