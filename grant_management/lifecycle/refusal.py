"""The error by which operations of the lifecycle are refused."""

from datetime import datetime
from typing import Any

from ..fields.field import Field
from ..models import Client
from ..protocol.results import INVALID_REQUEST


class LifecycleError(Exception):
    """The operation is refused.

    `error` is the error code for the client, as in RFC 6749 §5.2 or the draft §5.4, and
    `description` a sentence for its `error_description`.
    """

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


def check(member: Field, value: Any, now: datetime | None = None) -> None:
    """Check a value from a host in Python by the rules of the API; times against `now`, if given.

    LifecycleError: `invalid_request`.
    """
    try:
        read = member.take(value)
        if now is not None:
            member.judge(read, now)
    except ValueError as error:
        raise LifecycleError(INVALID_REQUEST, f"'{member.name}' {error}.") from None


def check_there(client: Client) -> None:
    """LifecycleError `invalid_request`: the client or its service was deleted meanwhile."""
    if client.deleted_at is not None or client.service.deleted_at is not None:
        raise LifecycleError(INVALID_REQUEST, "The client or its service was deleted.")
