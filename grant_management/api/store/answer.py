"""Answers of the store's operations."""

from typing import Any

from ...protocol.results import Refused, Result

Answer = dict[str, Any]


class ActionRefused(Refused):
    """A refusal that is answered with 200 and an `action`, as Authlete's operations do.

    `more` are further members of the answer, from which those that are None, "" or [] are left out.
    """

    def __init__(self, refusal: Refused, action: str, more: Answer | None = None) -> None:
        super().__init__(refusal.result)
        self.message = refusal.message
        code = refusal.result.code
        head = {"resultCode": code, "resultMessage": refusal.message, "action": action}
        self.answer = compact(head | (more or {}))


def compact(members: Answer) -> Answer:
    """The members without those that are None, "" or []."""
    return {name: value for name, value in members.items() if value not in (None, "", [])}


def done(members: Answer, action: str = "") -> Answer:
    """The answer to a request that was fulfilled; `action` "": this operation has no action."""
    result = Result.STORE_DONE
    head = {"resultCode": result.code, "resultMessage": result.message(), "action": action}
    return compact(head | members)
