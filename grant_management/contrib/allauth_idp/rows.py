"""allauth's rows and their counterparts here, read from the database that they are written to."""

from typing import Any, Final

from allauth.idp.oidc.models import Client as AllauthClient
from allauth.idp.oidc.models import Token

from grant_management.conf import app_settings
from grant_management.contrib.bridge.server import AuthorizationServer
from grant_management.db import primary
from grant_management.models import AccessToken, Client, RefreshToken

Rows = Any
"""A query set of allauth, which has no types."""

SERVER: Final = AuthorizationServer(
    "django-allauth",
    lambda: app_settings.allauth_service,
    "GRANT_MANAGEMENT['ALLAUTH_SERVICE']",
    "setup_grant_management",
)
MODELS: Final[dict[str, Any]] = {
    Token.Type.ACCESS_TOKEN: AccessToken,
    Token.Type.REFRESH_TOKEN: RefreshToken,
}
"""Our model for each type of allauth's tokens that is registered here."""


def tokens() -> Rows:
    """All access tokens and refresh tokens of allauth."""
    found: Rows = Token.objects.using(primary.alias()).filter(type__in=MODELS)
    return found


def presented(kind: str, value: str) -> Rows:
    """The token of this type with this clear value: one row, or none."""
    found: Rows = Token.objects.using(primary.alias()).by_value(value).filter(type=kind)
    return found


def client(client_id: str) -> AllauthClient | None:
    """The client with this ID; None: allauth has none."""
    return AllauthClient.objects.using(primary.alias()).filter(pk=client_id).first()


def our_client(row: AllauthClient) -> Client:
    """The client here of a client of allauth, created when it is first seen."""
    return SERVER.client(row.pk, row.name)


def is_confidential(row: AllauthClient | None) -> bool:
    """Whether the client may use grant management (draft §5.1)."""
    return row is not None and row.type == AllauthClient.Type.CONFIDENTIAL
