"""System checks of the bridge: what is missing in the settings, the URLs and the database."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any, Final
from urllib.parse import urlsplit

from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.urls import NoReverseMatch, Resolver404, resolve, reverse
from oauth2_provider.models import (
    DeviceCodeResponse,
    get_access_token_model,
    get_application_model,
    get_device_grant_model,
    get_grant_model,
    get_refresh_token_model,
)
from oauth2_provider.scopes import SettingsScopes
from oauth2_provider.settings import oauth2_settings

from grant_management.api.draft import GrantResourceView
from grant_management.checks.asking import of_database
from grant_management.contrib.bridge import database
from grant_management.contrib.bridge.scopes import SCOPES

from . import bridge
from .models import AuthorizedCode, DeviceAuthorization, LinkedToken
from .validator import GrantManagementValidator
from .views import GrantAuthorizationView

ID: Final = "grant_management_oauth_toolkit"
APP: Final = "grant_management.contrib.oauth_toolkit"
BREAKS_DEVICES: Final = (4, 0, 1)
"""The first version of oauthlib whose answers the toolkit's view of device codes cannot read."""


@register(Tags.models)
def check_one_database(**kwargs: Any) -> list[CheckMessage]:
    """E001: the toolkit, this app and the bridge are not all in one database.

    Tokens die on both sides in one transaction, which needs that.
    """
    models = [
        get_application_model(),
        get_grant_model(),
        get_device_grant_model(),
        get_access_token_model(),
        get_refresh_token_model(),
        AuthorizedCode,
        DeviceAuthorization,
        LinkedToken,
    ]
    return database.check_one_database("django-oauth-toolkit", models, f"{ID}.E001")


@register(Tags.security)
def check_validator(**kwargs: Any) -> list[CheckMessage]:
    """E002: the toolkit's tokens are not registered, so they stay alive when their grant dies."""
    if issubclass(oauth2_settings.OAUTH2_VALIDATOR_CLASS, GrantManagementValidator):
        return []
    message = "OAUTH2_PROVIDER['OAUTH2_VALIDATOR_CLASS'] is not the validator of grant management."
    hint = f"Set it to '{APP}.validator.GrantManagementValidator', or to a subclass of that."
    return [Error(message, hint=hint, id=f"{ID}.E002")]


@register(Tags.urls)
def check_urls(**kwargs: Any) -> list[CheckMessage]:
    """E003: the toolkit's own views answer at the authorization endpoint, and know no grants.

    Nothing is found where the project does not serve that endpoint at all.
    """
    try:
        view = resolve(reverse("oauth2_provider:authorize")).func
    except (NoReverseMatch, Resolver404):
        return []
    if issubclass(getattr(view, "view_class", object), GrantAuthorizationView):
        return []
    message = "The authorization endpoint is django-oauth-toolkit's own: it knows no grants."
    hint = (
        f"Include '{APP}.urls' in place of 'oauth2_provider.urls', and remove the latter:"
        " of two patterns with one path Django takes the first."
    )
    return [Error(message, hint=hint, id=f"{ID}.E003")]


@register(Tags.urls)
def check_own_urls(**kwargs: Any) -> list[CheckMessage]:
    """W005: the project does not serve the app's URLs."""
    if _path(1) is not None:
        return []
    message = "No grant can be queried or revoked: the app's URLs are not included."
    hint = "In your URLs, add path('', include('grant_management.urls'))."
    return [CheckWarning(message, hint=hint, id=f"{ID}.W005")]


@register(Tags.compatibility)
def check_scopes(**kwargs: Any) -> list[CheckMessage]:
    """W001: no client can get a token with which it may query or revoke a grant (draft §6.2)."""
    if oauth2_settings.SCOPES_BACKEND_CLASS is not SettingsScopes:
        return []  # its scopes may be in the database
    missing = [scope for scope in SCOPES if scope not in oauth2_settings.SCOPES]
    if not missing:
        return []
    message = f"OAUTH2_PROVIDER['SCOPES'] lacks {' and '.join(missing)}."
    hint = "Add them with the texts that the consent page shows; without them clients get 403."
    return [CheckWarning(message, hint=hint, id=f"{ID}.W001")]


@register(Tags.compatibility)
def check_oauthlib(**kwargs: Any) -> list[CheckMessage]:
    """W002: this oauthlib breaks the toolkit's device authorization endpoint."""
    installed = version("oauthlib")
    is_new = (
        tuple(int(part) for part in installed.split(".")[:3] if part.isdigit()) >= BREAKS_DEVICES
    )
    if not is_new or "scope" in DeviceCodeResponse.__dataclass_fields__:
        return []
    message = (
        f"oauthlib {installed} breaks the device flow of django-oauth-toolkit"
        f" {version('django-oauth-toolkit')}: its own views answer 500."
    )
    hint = (
        f"The views of '{APP}.urls' work all the same. Where you serve the toolkit's own views of"
        " the device flow, install oauthlib 4.0.0."
    )
    return [CheckWarning(message, hint=hint, id=f"{ID}.W002")]


@of_database()
def check_service(connection: Any) -> list[CheckMessage]:
    """W003: there is no service for the toolkit's tokens. W004: its endpoint is not in the URLs."""
    try:
        service = bridge.service()
    except bridge.NotSetUp as error:
        return [CheckWarning("There is no service.", hint=str(error), id=f"{ID}.W003")]
    return _endpoint(service.pk, service.grant_management_endpoint)


def _endpoint(number: int, endpoint: str) -> list[CheckMessage]:
    """W004, where the service's endpoint does not lead to its grants in this project."""
    here = _path(number)
    if here is None:  # the draft's endpoint is not served here
        return []
    try:
        found = resolve(f"{urlsplit(endpoint).path.rstrip('/')}/x")
        if _is_grants(found.func) and found.kwargs.get("service_id") == str(number):
            return []
    except Resolver404:
        pass
    message = f"The grant management endpoint of service {number} is {endpoint or 'not set'}."
    hint = f"This project serves its grants at the path {here}: set the endpoint to that URL."
    return [CheckWarning(message, hint=hint, id=f"{ID}.W004")]


def _path(number: int) -> str | None:
    try:
        at: str = reverse("grant_management:grant", args=[number, "x"])
    except NoReverseMatch:
        return None
    return at.removesuffix("/x")


def _is_grants(view: Callable[..., Any]) -> bool:
    return issubclass(getattr(view, "view_class", object), GrantResourceView)
