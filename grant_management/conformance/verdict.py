"""The outcomes of a check, and the exceptions that a check raises."""

from enum import StrEnum


class Outcome(StrEnum):
    """The outcome of a check."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Failure(Exception):
    """The server does not do what the draft says. The message says what it does.

    `repair` says what to do, where that is not what the check's own sentence says.
    """

    def __init__(self, message: str, repair: str = "") -> None:
        super().__init__(message)
        self.repair = repair


class Late(Failure):
    """What was waited for did not end in time."""


class Skip(Exception):
    """The check cannot be done. The message says why: the config gives too little, or the server
    does not use what is optional.
    """


def require(condition: bool, message: str) -> None:
    """Raise Failure with this message unless the condition holds."""
    if not condition:
        raise Failure(message)
