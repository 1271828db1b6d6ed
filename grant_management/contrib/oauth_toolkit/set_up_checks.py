"""System checks of what the bridge needs of a project: each says what is missing, and the line."""

from collections.abc import Sequence
from typing import Any, Final

from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.urls import NoReverseMatch, resolve, reverse
from oauth2_provider.scopes import SettingsScopes
from oauth2_provider.settings import oauth2_settings

from grant_management.db import primary
from grant_management.endpoint.access_token import SCOPES
from grant_management.models import Service

from . import bridge

VALIDATOR: Final = "grant_management.contrib.oauth_toolkit.validator.GrantManagementValidator"
URLS: Final = "grant_management.contrib.oauth_toolkit.urls"


@register(Tags.security)
def check_validator(**kwargs: Any) -> list[CheckMessage]:
    """E002: the toolkit has another validator class, so no token belongs to a grant."""
    # The class imports models, which are there by the time that a check runs.
    from .validator import GrantManagementValidator

    if issubclass(oauth2_settings.OAUTH2_VALIDATOR_CLASS, GrantManagementValidator):
        return []
    message = "The tokens of django-oauth-toolkit are not registered: its validator is another."
    hint = f"Set OAUTH2_PROVIDER['OAUTH2_VALIDATOR_CLASS'] = '{VALIDATOR}', or to a subclass of it."
    return [Error(message, hint=hint, id="grant_management_oauth_toolkit.E002")]


@register(Tags.security)
def check_scopes(**kwargs: Any) -> list[CheckMessage]:
    """W001: no token can have a scope that the grant's GET or DELETE needs (draft §6.1)."""
    if not issubclass(oauth2_settings.SCOPES_BACKEND_CLASS, SettingsScopes):
        return []  # the host's own backend may ask a database
    missing = [scope for scope in SCOPES.values() if scope not in oauth2_settings.SCOPES]
    if not missing:
        return []
    message = (
        f"No token can have the scopes {', '.join(missing)}: GET and DELETE of a grant are 403."
    )
    hint = "Add them to OAUTH2_PROVIDER['SCOPES'], each with the text that the user reads."
    return [CheckWarning(message, hint=hint, id="grant_management_oauth_toolkit.W001")]


@register(Tags.urls)
def check_urls(**kwargs: Any) -> list[CheckMessage]:
    """W002: the toolkit's own URLs are included; W003: the app's URLs are not."""
    found: list[CheckMessage] = []
    if not _authorizes_here():
        message = "The authorization endpoint is not that of grant management."
        hint = f"In your URLs, include '{URLS}' in place of 'oauth2_provider.urls'."
        found.append(CheckWarning(message, hint=hint, id="grant_management_oauth_toolkit.W002"))
    if _path("grant_management:gm", service_id=1) is None:
        message = "No grant can be queried or revoked: the app has no URLs."
        hint = "In your URLs, add path('', include('grant_management.urls'))."
        found.append(CheckWarning(message, hint=hint, id="grant_management_oauth_toolkit.W003"))
    return found


@register(Tags.database)
def check_service(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """W004: the service that tokens would belong to does not exist, so no code is issued."""
    alias = primary.alias()
    if alias not in (databases or ()):
        return []
    if Service._meta.db_table not in connections[alias].introspection.table_names():
        return []  # not migrated yet
    try:
        bridge.service()
    except ImproperlyConfigured as error:
        hint = "Run setup_grant_management."
        return [CheckWarning(str(error), hint=hint, id="grant_management_oauth_toolkit.W004")]
    return []


def _authorizes_here() -> bool:
    """Whether the toolkit's authorization endpoint is served by our view."""
    from .views import GrantAuthorizationView

    path = _path("oauth2_provider:authorize")
    view = getattr(resolve(path).func, "view_class", None) if path else None
    return view is not None and issubclass(view, GrantAuthorizationView)


def _path(name: str, **kwargs: Any) -> str | None:
    try:
        return reverse(name, kwargs=kwargs)
    except NoReverseMatch:
        return None
