"""Translation of the toolkit's objects: its applications are clients, its users are subjects."""

import json
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from oauth2_provider.models import get_application_model

from grant_management.conf import app_settings
from grant_management.fields import members as m
from grant_management.fields.granted import grant_limits
from grant_management.lifecycle import Authorization, GrantAction, LifecycleError
from grant_management.models import Actor, Client, Grant, Service
from grant_management.models.event import ActorKind
from grant_management.protocol import strict_json
from grant_management.protocol.content import CONTROL, Content
from grant_management.protocol.digests import sha256
from grant_management.protocol.results import INVALID_REQUEST

Application = get_application_model()
PARAMETERS = ("grant_management_action", "grant_id")
"""Parameters of an authorization request and of a device authorization request (draft §5.2)."""
ACTOR = Actor(ActorKind.SYSTEM, "django-oauth-toolkit")
"""The actor of events that the toolkit caused."""


class NotSetUp(ImproperlyConfigured):
    """There is no service for the toolkit's tokens. The message says what to do about it."""


def service() -> Service:
    """The service that the toolkit's tokens and grants belong to.

    NotSetUp: OAUTH_TOOLKIT_SERVICE names none, or is not set and there is not exactly one.
    """
    number = app_settings.oauth_toolkit_service
    services = Service.objects.filter(deleted_at=None)
    services = services if number is None else services.filter(pk=number)
    found = list(services[:2])  # enough to see that there is more than one
    if len(found) == 1:
        return found[0]
    raise NotSetUp(_advice(number, is_any=bool(found)))


def _advice(number: int | None, *, is_any: bool) -> str:
    key = "GRANT_MANAGEMENT['OAUTH_TOOLKIT_SERVICE']"
    if number is not None:
        return (
            f"{key} is {number}, and there is no such service: `manage.py setup_grant_management`"
            " creates it. Or set the number of one that exists."
        )
    if is_any:
        return f"There are several services. Set {key} to the number of the toolkit's."
    return (
        "There is no service for the toolkit's tokens: `manage.py setup_grant_management` creates"
        " one."
    )


def service_if_any() -> Service | None:
    """As `service`; None before the first service is created: until then nothing is registered."""
    return service() if Service.objects.filter(deleted_at=None).exists() else None


def client(application: Any) -> Client:
    """The client of an application, created when the application is first seen.

    LifecycleError `invalid_request`: the client ID cannot be stored.
    """
    ours = service()
    try:
        client_id = m.CLIENT_ID.read(application.client_id)
    except ValueError as error:
        raise LifecycleError(INVALID_REQUEST, f"The client ID {error}.") from None
    known = Client.objects.filter(service=ours, client_id=client_id).first()
    if known is not None:
        known.service = ours
        return known
    name = CONTROL.sub(" ", application.name)[: m.CLIENT_NAME.longest]  # only for display
    return Client.objects.put(ours, client_id, ACTOR, name=name)[0]


def known_client(application: Any) -> Client | None:
    """The client of an application; None: the application was never seen here."""
    return Client.objects.filter(service=service(), client_id=application.client_id).first()


def is_ours(service_id: int) -> bool:
    """Whether the toolkit's tokens belong to the service of this number. Makes no query."""
    return app_settings.oauth_toolkit_service in (None, service_id)


def subject(user: Any) -> str | None:
    """The subject of a user, which is the user's primary key; None for a client's own tokens.

    LifecycleError `invalid_request`: the key is empty or too long.
    """
    if user is None:
        return None
    value = str(user.pk)
    if not 1 <= len(value) <= (Grant._meta.get_field("subject").max_length or 0):
        raise LifecycleError(INVALID_REQUEST, "The key of this user is too long for a subject.")
    return value


def is_confidential(application: Any) -> bool:
    """Whether the application may use grant management (draft §5.1)."""
    return bool(application.client_type == Application.CLIENT_CONFIDENTIAL)


def consented(scopes: Iterable[str], resources: Any, claims: Any) -> Content:
    """What a user consents to on the toolkit's page.

    `resources` is a URI, a list of them or None; `claims` is the claims parameter as JSON or a
    dict. LifecycleError `invalid_request`: no grant can hold it.
    """
    places = [resources] if isinstance(resources, str) else [*(resources or ())]
    entries = [{"scope": " ".join(scopes), "resource": places}] if scopes else []
    try:
        return Content.read(entries, sorted(_claim_names(claims)), None, grant_limits())
    except ValueError as error:
        said = f"The consented content cannot be granted: {error}"
        raise LifecycleError(INVALID_REQUEST, said) from None


def scopes_after(authorization: Authorization, consented: Content) -> list[str]:
    """The scopes that the grant will hold if the user consents (draft §5.2), in their order."""
    held = consented
    if authorization.action is GrantAction.MERGE:
        grant = Grant.objects.known(authorization.client.service, authorization.grant_id)
        held = grant.held().merged(consented)
    return sorted({name for name, _resource in held.pairs})


def checksum(value: str) -> str:
    """The SHA-256 digest, in hexadecimal, by which the toolkit finds a token."""
    return sha256(value).hex()


def pin_key(client_id: str, redirect_uri: str, state: str) -> str:
    """The key under which an authorization request is pinned to the login session."""
    return checksum(json.dumps([client_id, redirect_uri, state]))


def _claim_names(claims: Any) -> set[str]:
    """The claims that were requested for userinfo and the ID token (OpenID Connect Core §5.5)."""
    if isinstance(claims, str):
        claims = strict_json.loads(claims) if claims else {}
    if not isinstance(claims or {}, dict):
        raise ValueError("the claims are no object")
    places = [claims.get(place) for place in ("userinfo", "id_token")] if claims else []
    return {name for place in places if isinstance(place, dict) for name in place}
