"""Answers of the store's operations."""

from typing import Any

from ...protocol.results import Refused, Result

Answer = dict[str, Any]


class ActionRefused(Refused):
    """Refused, where Authlete's operations say so with an action, at 200. `more` are members of
    the answer besides.
    """

    def __init__(self, refusal: Refused, action: str, more: Answer | None = None) -> None:
        super().__init__(refusal.result)
        self.message = refusal.message
        code = refusal.result.code
        head = {"resultCode": code, "resultMessage": refusal.message, "action": action}
        self.answer = compact(head | (more or {}))


def compact(members: Answer) -> Answer:
    """Without what is absent."""
    return {name: value for name, value in members.items() if value not in (None, "", [])}


def done(members: Answer, action: str = "") -> Answer:
    """The answer to a request that was fulfilled."""
    result = Result.STORE_DONE
    head = {"resultCode": result.code, "resultMessage": result.message(), "action": action}
    return compact(head | members)
