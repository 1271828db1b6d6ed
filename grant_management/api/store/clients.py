"""The operation of the store on clients."""

from ...fields import members as m
from ...models import Client, Reason
from ...models.client import IdentifierTaken, NumberRefused
from ...protocol.results import Refused, Result
from .answer import Answer, done
from .request import StoreRequest, Values

BY_API = Reason("requested through the API")
SAVE = (*m.CLIENT, m.CLIENT_NAME, m.LOCKED)


def save(request: StoreRequest) -> Answer:
    """`/clients`: create the client, or update the members that are given.

    Refused: `clientIdentifier` is missing, or `clientId` cannot be the client's number.
    """
    values = request.values
    if "clientIdentifier" not in values:
        raise Refused(Result.BODY_UNREADABLE, "'clientIdentifier' is missing.")
    client = _saved(request, values)
    return done(
        {
            "clientId": client.pk,
            "clientIdentifier": client.client_id,
            "name": client.name,
            "locked": client.locked_at is not None,
        }
    )


def _saved(request: StoreRequest, values: Values) -> Client:
    """The client. One event records all changes.

    Refused: the number is another client's, or the client has another number. The message is the
    same, so that nobody learns which numbers other tenants use. Or the client was deleted.
    """
    try:
        return Client.objects.put(
            request.service,
            values["clientIdentifier"],
            request.caller,
            BY_API,
            number=values.get("clientId"),
            name=values.get("name"),
            locked=values.get("locked"),
        )[0]
    except NumberRefused:
        message = "'clientId' cannot be this client's number."
        raise Refused(Result.STORE_REFUSED, message) from None
    except IdentifierTaken:
        raise Refused(Result.STORE_REFUSED, "this client was deleted.") from None
