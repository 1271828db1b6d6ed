"""`try_grant_management` at allauth."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from allauth.idp.oidc.models import Client

from grant_management.contrib.bridge.scopes import SCOPES
from grant_management.contrib.bridge.try_command import CLIENT_ID, NAME, TryCommand

from ...rows import SERVER


class Command(TryCommand):
    """Plays a client of allauth's OpenID Connect provider."""

    server = SERVER
    authorization_endpoint = "idp:oidc:authorization"
    token_endpoint = "idp:oidc:token"  # noqa: S105 - a name

    @contextmanager
    def client(self, redirect_uri: str) -> Iterator[str]:
        """A client for this run, in place of one that an interrupt left."""
        secret = secrets.token_urlsafe(32)
        Client.objects.filter(pk=CLIENT_ID).delete()
        client = Client(id=CLIENT_ID, name=NAME)
        client.set_secret(secret)
        client.set_scopes(list(SCOPES))
        client.set_grant_types(["authorization_code"])
        client.set_redirect_uris([redirect_uri])
        client.save()
        try:
            yield secret
        finally:
            client.delete()
