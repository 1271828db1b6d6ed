"""Clients."""

from typing import Any

from django.db import IntegrityError

from ..db import primary
from ..fields import members as m
from ..models import Actor, Client, Reason, Service
from ..protocol.results import Refused, Result
from ..serializers import read
from .reading import Answer, Call, done

BY_API = Reason("requested through the API")
_MEMBERS = (*m.CLIENT, m.CLIENT_NAME, m.LOCKED)


def save(call: Call) -> Answer:
    """`/clients`: the client, made or updated."""
    values = read(call.members, _MEMBERS)
    if "clientIdentifier" not in values:
        raise Refused(Result.BODY_UNREADABLE, "'clientIdentifier' is missing.")
    client = _saved(call.service, values)
    _lock(client, values.get("locked"), call.caller)
    return done(
        {
            "clientId": client.pk,
            "clientIdentifier": client.client_id,
            "name": client.name,
            "locked": client.locked_at is not None,
        }
    )


def _saved(service: Service, values: dict[str, Any]) -> Client:
    number = {"id": values["clientId"]} if "clientId" in values else {}
    named = {"name": values["name"]} if "name" in values else {}
    try:
        with primary.atomic():
            client, created = Client.objects.get_or_create(
                service=service, client_id=values["clientIdentifier"], defaults=number | named
            )
    except IntegrityError:
        raise Refused(Result.STORE_REFUSED, "this 'clientId' is taken.") from None
    if number and client.pk != number["id"]:
        raise Refused(Result.STORE_REFUSED, "'clientId' of a known client cannot change.")
    if named and not created:
        Client.objects.filter(service=service, pk=client.pk).update(**named)
        client.name = named["name"]
    return client


def _lock(client: Client, locked: bool | None, caller: Actor) -> None:
    if locked is True:
        client.lock(caller, BY_API)
    if locked is False:
        client.unlock(caller, BY_API)
