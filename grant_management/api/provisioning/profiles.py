"""`/api/{serviceId}/clients/profile`: what people are told of a client."""

from typing import Final

from ...fields import members as m
from ...models import Client, ClientProfile, Reason
from ...protocol.results import Refused, Result
from ..store.answer import Answer, done
from ..store.request import StoreRequest, find_client

BY_API: Final = Reason("requested through the API")
GET: Final = m.CLIENT
SAVE: Final = (*m.CLIENT, m.PROFILE_TEXTS, m.LOGO)


def save(request: StoreRequest) -> Answer:
    """Change the texts and the logo of a client, where they are given. Refused: no such client."""
    client, values = find_client(request.service, request.values), request.values
    try:
        profile = ClientProfile.objects.put(
            client,
            request.caller,
            BY_API,
            texts=values.get("texts"),
            logo=values.get("logo"),
        )
    except Client.DoesNotExist:  # deleted at this moment
        raise Refused(Result.STORE_CLIENT_UNKNOWN) from None
    return done(show(profile))


def get(request: StoreRequest) -> Answer:
    """The texts of a client and the digest of its logo. Refused: no such client."""
    return done(show(ClientProfile.objects.of(find_client(request.service, request.values))))


def show(profile: ClientProfile) -> Answer:
    """The members of a profile."""
    client = profile.client
    named: Answer = {"clientId": client.pk, "clientIdentifier": client.client_id}
    return named | {"texts": profile.texts, "logoSha256": profile.logo_digest}
