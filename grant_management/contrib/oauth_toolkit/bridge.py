"""Translation of the toolkit's objects: its applications are clients, its users are subjects."""

import json
from typing import Any, Final

from oauth2_provider.models import get_application_model

from grant_management.conf import app_settings
from grant_management.contrib.bridge.consent import PARAMETERS, consented, scopes_after
from grant_management.contrib.bridge.server import AuthorizationServer, NotSetUp, subject
from grant_management.models import Client
from grant_management.protocol.digests import sha256

__all__ = [
    "PARAMETERS",
    "SERVER",
    "NotSetUp",
    "checksum",
    "client",
    "consented",
    "is_confidential",
    "is_ours",
    "known_client",
    "pin_key",
    "scopes_after",
    "service",
    "service_if_any",
    "subject",
]

Application = get_application_model()
SERVER: Final = AuthorizationServer(
    "django-oauth-toolkit",
    lambda: app_settings.oauth_toolkit_service,
    "GRANT_MANAGEMENT['OAUTH_TOOLKIT_SERVICE']",
    "setup_grant_management",
)
service = SERVER.service
service_if_any = SERVER.service_if_any
is_ours = SERVER.is_ours


def client(application: Any) -> Client:
    """The client of an application, created when the application is first seen.

    LifecycleError `invalid_request`: the client ID cannot be stored.
    """
    return SERVER.client(application.client_id, application.name)


def known_client(application: Any) -> Client | None:
    """The client of an application; None: the application was never seen here."""
    return SERVER.known_client(application.client_id)


def is_confidential(application: Any) -> bool:
    """Whether the application may use grant management (draft §5.1)."""
    return bool(application.client_type == Application.CLIENT_CONFIDENTIAL)


def checksum(value: str) -> str:
    """The SHA-256 digest, in hexadecimal, by which the toolkit finds a token."""
    return sha256(value).hex()


def pin_key(client_id: str, redirect_uri: str, state: str) -> str:
    """The key under which an authorization request is pinned to the login session."""
    return checksum(json.dumps([client_id, redirect_uri, state]))
