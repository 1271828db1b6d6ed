"""How an operation of the lifecycle is refused."""

from datetime import datetime
from typing import Any

from ..fields.field import Field
from ..protocol.results import INVALID_REQUEST


class LifecycleError(Exception):
    """Refused. `error` is the code of RFC 6749 or the draft that goes to the client."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


def check(member: Field, value: Any, now: datetime | None = None) -> None:
    """What a host in Python gives is held to the rules of every other door."""
    try:
        read = member.take(value)
        if now is not None:
            member.judge(read, now)
    except ValueError as error:
        raise LifecycleError(INVALID_REQUEST, f"'{member.name}' {error}.") from None
