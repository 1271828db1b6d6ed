"""`try_grant_management` at django-oauth-toolkit."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from grant_management.contrib.bridge.try_command import CLIENT_ID, NAME, TryCommand

from ...bridge import SERVER, Application


class Command(TryCommand):
    """Plays a client of the toolkit."""

    server = SERVER
    authorization_endpoint = "oauth2_provider:authorize"
    token_endpoint = "oauth2_provider:token"  # noqa: S105 - a name

    @contextmanager
    def client(self, redirect_uri: str) -> Iterator[str]:
        """An application for this run, in place of one that an interrupt left."""
        secret = secrets.token_urlsafe(32)
        Application.objects.filter(client_id=CLIENT_ID).delete()
        application = Application.objects.create(
            name=NAME,
            client_id=CLIENT_ID,
            client_secret=secret,
            client_type=Application.CLIENT_CONFIDENTIAL,
            authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
            redirect_uris=redirect_uri,
        )
        try:
            yield secret
        finally:
            application.delete()
