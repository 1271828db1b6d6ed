"""Between the toolkit's nouns and ours: its applications are clients, its users are subjects."""

import json
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from oauth2_provider.models import get_application_model

from grant_management import conf
from grant_management.models import Client, Service
from grant_management.protocol.content import Content
from grant_management.protocol.digests import sha256

Application = get_application_model()


def service() -> Service:
    """The service whose grants the toolkit's are. ImproperlyConfigured: it is not clear which."""
    number = conf.configured().get("OAUTH_TOOLKIT_SERVICE")
    services = Service.objects.all() if number is None else Service.objects.filter(pk=number)
    found = list(services[:2])
    if len(found) != 1:
        raise ImproperlyConfigured(
            "Set GRANT_MANAGEMENT['OAUTH_TOOLKIT_SERVICE'] to the number of a service;"
            " create_service makes one."
        )
    return found[0]


def client(application: Any) -> Client:
    """The client that an application is here, made when it is first seen."""
    ours = service()
    found, _ = Client.objects.get_or_create(
        service=ours, client_id=application.client_id, defaults={"name": application.name[:255]}
    )
    found.service = ours
    return found


def subject(user: Any) -> str | None:
    """The subject that a user is here; None for a client's own tokens."""
    return None if user is None else str(user.pk)


def is_confidential(application: Any) -> bool:
    """Whether grant management is for it (draft §5.1)."""
    return bool(application.client_type == Application.CLIENT_CONFIDENTIAL)


def consented(scopes: Iterable[str], resources: Iterable[str], claims: Any) -> Content:
    """What a user consented to on the toolkit's page."""
    held: list[str | None] = [*resources] or [None]
    return Content(
        frozenset((scope, resource) for scope in scopes for resource in held),
        frozenset(_claim_names(claims)),
    )


def checksum(value: str) -> str:
    """How the toolkit finds a token."""
    return sha256(value).hex()


def pin_key(client_id: str, redirect_uri: str, state: str) -> str:
    """Under which an authorization request is pinned to the login session."""
    return checksum(json.dumps([client_id, redirect_uri, state]))


def _claim_names(claims: Any) -> set[str]:
    """Of OpenID Connect Core §5.5: the claims that were asked for, wherever they go."""
    if isinstance(claims, str):
        claims = json.loads(claims) if claims else {}
    places = [claims.get(place) for place in ("userinfo", "id_token")] if claims else []
    return {name for place in places if isinstance(place, dict) for name in place}
