"""Clients."""

from typing import Any

from ...fields import members as m
from ...fields.reading import read
from ...models import Client, Reason
from ...models.client import NumberRefused
from ...protocol.results import Refused, Result
from .reading import Answer, Call, done

BY_API = Reason("requested through the API")
_MEMBERS = (*m.CLIENT, m.CLIENT_NAME, m.LOCKED)


def save(call: Call) -> Answer:
    """`/clients`: the client, made or updated."""
    values = read(call.members, _MEMBERS)
    if "clientIdentifier" not in values:
        raise Refused(Result.BODY_UNREADABLE, "'clientIdentifier' is missing.")
    client = _saved(call, values)
    return done(
        {
            "clientId": client.pk,
            "clientIdentifier": client.client_id,
            "name": client.name,
            "locked": client.locked_at is not None,
        }
    )


def _saved(call: Call, values: dict[str, Any]) -> Client:
    """One event for all that it changes. Refused, in the same words, where the number is another
    client's, whoever's that is, and where the client has another one.
    """
    try:
        return Client.objects.put(
            call.service,
            values["clientIdentifier"],
            call.caller,
            BY_API,
            number=values.get("clientId"),
            name=values.get("name"),
            locked=values.get("locked"),
        )[0]
    except NumberRefused:
        message = "'clientId' cannot be this client's number."
        raise Refused(Result.STORE_REFUSED, message) from None
