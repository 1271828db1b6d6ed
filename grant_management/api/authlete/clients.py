"""`client/{create,get,get/list,update,delete}`: clients, in Authlete's shape."""

from typing import Final

from django.db.models import Q

from ...db.ids import random_number
from ...fields import members as m
from ...models import Client, Reason, Service
from ...models.client import IdentifierTaken, NumberRefused
from ...protocol.numbers import MAX_NUMBER
from ...protocol.results import Refused, Result
from ..store.answer import Answer, compact
from ..store.request import StoreRequest, Values
from .paging import PAGE, cut, refuse_developer

SAVE: Final = (m.CLIENT_ALIAS, m.CLIENT_NAME.named("clientName"), m.LOCKED)
LIST: Final = (m.DEVELOPER, *PAGE)
BY_API: Final = Reason("requested through the API")


def create(request: StoreRequest) -> Answer:
    """A new client. Its `clientIdAlias` is its client ID; without one that is its number.

    Refused: the service has, or had, a client of that ID.
    """
    values, number = request.values, random_number()
    try:
        client, _new = Client.objects.put(
            request.service,
            values.get("clientIdAlias") or str(number),
            request.caller,
            BY_API,
            number=number,
            name=values.get("clientName"),
            locked=values.get("locked"),
            must_be_new=True,
        )
    except IdentifierTaken:
        message = "a client with this 'clientIdAlias' exists, or was deleted."
        raise Refused(Result.STORE_REFUSED, message) from None
    except NumberRefused:
        raise Refused(Result.STORE_REFUSED, "try again.") from None
    return show(client)


def get(request: StoreRequest, *, client: str) -> Answer:
    """The client of this number or client ID. Refused: there is none."""
    return show(find(request.service, client))


def list_clients(request: StoreRequest) -> Answer:
    """A page of the service's clients, by client ID."""
    refuse_developer(request.values)
    rows = Client.objects.filter(service=request.service, deleted_at=None)
    page = cut(rows.order_by("client_id"), request.values)
    return page.shown | {"clients": [show(client) for client in page.rows]}


def update(request: StoreRequest, *, client: str) -> Answer:
    """Change the name or the lock, where they are given.

    Refused: there is no such client, or it would get another client ID.
    """
    values, found = request.values, find(request.service, client)
    if values.get("clientIdAlias", found.client_id) not in ("", found.client_id):
        message = "a client keeps its client ID: 'clientIdAlias' cannot change."
        raise Refused(Result.STORE_REFUSED, message)
    changed = _changed(request, found, values)
    return show(changed)


def delete(request: StoreRequest, *, client: str) -> Answer:
    """Cut the client off, lock and hide it. Refused: there is no such client."""
    if not find(request.service, client).hide(request.caller, BY_API):
        raise Refused(Result.STORE_CLIENT_NOT_FOUND)
    return {}


def find(service: Service, identifier: str) -> Client:
    """The client of this number or, if no client has it, of this client ID: 1 query.

    Refused: there is none, or it was deleted.
    """
    if "\0" in identifier:  # PostgreSQL takes no U+0000, so no client has it
        raise Refused(Result.STORE_CLIENT_NOT_FOUND)
    rows = Client.objects.filter(service=service, deleted_at=None)
    named = Q(client_id=identifier)
    if identifier.isascii() and identifier.isdigit() and int(identifier[:20]) <= MAX_NUMBER:
        named |= Q(pk=int(identifier))
    found = {str(client.pk) == identifier: client for client in rows.filter(named)}
    client = found.get(True, found.get(False))
    if client is None:
        raise Refused(Result.STORE_CLIENT_NOT_FOUND)
    client.service = service
    return client


def show(client: Client) -> Answer:
    """The members of a client that this server has."""
    has_alias = client.client_id != str(client.pk)
    return compact(
        {
            "clientId": client.pk,
            "clientIdAlias": client.client_id if has_alias else None,
            "clientIdAliasEnabled": has_alias,
            "clientName": client.name,
            "locked": client.locked_at is not None,
        }
    )


def _changed(request: StoreRequest, client: Client, values: Values) -> Client:
    try:
        return Client.objects.put(
            request.service,
            client.client_id,
            request.caller,
            BY_API,
            name=values.get("clientName"),
            locked=values.get("locked"),
        )[0]
    except IdentifierTaken:  # deleted at this moment
        raise Refused(Result.STORE_CLIENT_NOT_FOUND) from None
