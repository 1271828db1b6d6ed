"""Members of a body, read strictly; null is absent, unknown ones are ignored."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from ...models import Actor, Client, Grant, Service
from ...protocol.results import Refused, Result

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


def compact(members: Answer) -> Answer:
    """Without what is absent."""
    return {name: value for name, value in members.items() if value not in (None, "", [])}


def done(members: Answer, action: str = "") -> Answer:
    """The answer to a request that was fulfilled."""
    result = Result.STORE_DONE
    head = {"resultCode": result.code, "resultMessage": result.message(), "action": action}
    return compact(head | members)
