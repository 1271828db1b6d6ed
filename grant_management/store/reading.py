"""Members of a body, read strictly; null is absent, unknown ones are ignored."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from ..members import Reader, client_number, moment, text
from ..models import Actor, Client, Grant, Service
from ..protocol.content import scope_names
from ..protocol.results import Refused, Result
from ..protocol.strict_json import Literal

Members = Mapping[str, Any]
Answer = dict[str, Any]


class Call(NamedTuple):
    """What an operation is asked to do, by whom; `now` is the database's time when it was asked."""

    service: Service
    caller: Actor
    members: Members
    now: datetime


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


CLIENT: dict[str, Reader] = {"clientId": client_number, "clientIdentifier": text(255)}
"""Both names of a client; where both are given they must agree."""


def milliseconds(value: Any) -> datetime:
    """A time in milliseconds since 1970."""
    if not isinstance(value, Literal):
        raise ValueError("must be a time in milliseconds since 1970")
    return moment(Literal(f"{value.text}e-3"))


def strings(value: Any) -> list[str]:
    """An array of strings that are not empty."""
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise ValueError("must be an array of strings")
    return value


def find_client(service: Service, values: Mapping[str, Any]) -> Client:
    """The client of `clientId` or `clientIdentifier`. Refused: none, or two different ones."""
    names = {"clientId": "pk", "clientIdentifier": "client_id"}
    wanted = {field: values[name] for name, field in names.items() if name in values}
    client = Client.objects.filter(service=service, **wanted).first() if wanted else None
    if client is None:
        raise Refused(Result.STORE_CLIENT_UNKNOWN)
    client.service = service
    return client


def find_grant(service: Service, grant_id: str) -> Grant:
    """The grant, dead or alive. Refused: there is none."""
    try:
        return Grant.objects.known(service, grant_id)
    except Grant.DoesNotExist:
        raise Refused(Result.STORE_GRANT_UNKNOWN) from None


def to_milliseconds(at: datetime) -> int:
    """How times go out."""
    return int(at.timestamp() * 1_000)


def compact(members: Answer) -> Answer:
    """Without what is absent."""
    return {name: value for name, value in members.items() if value not in (None, "", [])}


def done(members: Answer, action: str = "") -> Answer:
    """The answer to a request that was fulfilled."""
    result = Result.STORE_DONE
    head = {"resultCode": result.code, "resultMessage": result.message(), "action": action}
    return compact(head | members)


def scope_names_of(scopes: list[str] | None) -> list[str]:
    """Names of scopes, each perhaps space-delimited. Refused: one is none."""
    try:
        return [name for scope in scopes or () for name in scope_names(scope)]
    except ValueError as error:
        raise Refused(Result.BODY_UNREADABLE, f"{error}.") from None
