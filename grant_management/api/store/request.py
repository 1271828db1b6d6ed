"""The request of an operation of the store, and the rows that it names."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from ...models import Actor, Client, Grant, Service
from ...protocol.results import Refused, Result

Values = Mapping[str, Any]


class StoreRequest(NamedTuple):
    """The service, the caller and the values of a request.

    `values` are the declared members that are present, by name, as their fields read them; null
    counts as absent, and undeclared members are ignored. `now` is the database's time.
    """

    service: Service
    caller: Actor
    values: Values
    now: datetime


def find_client(service: Service, values: Mapping[str, Any]) -> Client:
    """The client of `clientId` or `clientIdentifier`. Refused: there is none, or they disagree."""
    names = {"clientId": "pk", "clientIdentifier": "client_id"}
    wanted = {field: values[name] for name, field in names.items() if name in values}
    rows = Client.objects.filter(service=service, deleted_at=None)
    client = rows.filter(**wanted).first() if wanted else None
    if client is None:
        raise Refused(Result.STORE_CLIENT_UNKNOWN)
    client.service = service
    return client


def find_grant(service: Service, grant_id: str) -> Grant:
    """The grant of this ID, in any status. Refused: there is none, or its client was deleted."""
    try:
        grant = Grant.objects.known(service, grant_id)
    except Grant.DoesNotExist:
        raise Refused(Result.STORE_GRANT_UNKNOWN) from None
    if grant.client.deleted_at is not None:
        raise Refused(Result.STORE_GRANT_UNKNOWN)
    return grant
