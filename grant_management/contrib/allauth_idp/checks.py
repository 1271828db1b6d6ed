"""System checks of the bridge."""

from typing import Any, Final

from allauth.idp.oidc import app_settings
from allauth.idp.oidc.adapter import get_adapter
from allauth.idp.oidc.models import Client, Token
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ImproperlyConfigured
from django.urls import NoReverseMatch, resolve, reverse
from django.utils.module_loading import import_string

from grant_management.contrib.bridge.database import check_one_database

from .models import IssuedCode, LinkedToken

ID: Final = "grant_management_allauth_idp"
NOT_SHARED: Final = ("LocMemCache", "DummyCache")


@register(Tags.models)
def check_database(**kwargs: Any) -> list[CheckMessage]:
    """E001: allauth, this app and the bridge are not all in one database."""
    models = (Client, Token, IssuedCode, LinkedToken)
    return check_one_database("django-allauth", models, f"{ID}.E001")


@register(Tags.compatibility)
def check_adapter(**kwargs: Any) -> list[CheckMessage]:
    """E002: allauth's introspection and metadata would know nothing of grants."""
    from .adapter import GrantManagementMixin

    if issubclass(import_string(app_settings.ADAPTER), GrantManagementMixin):
        return []
    message = "IDP_OIDC_ADAPTER does not have GrantManagementMixin among its base classes."
    hint = "Set it to 'grant_management.contrib.allauth_idp.adapter.GrantManagementAdapter'."
    return [Error(message, hint=hint, id=f"{ID}.E002")]


@register(Tags.urls)
def check_urls(**kwargs: Any) -> list[CheckMessage]:
    """E003: a view of allauth is reached where ours belongs, or neither is there."""
    if not getattr(settings, "ROOT_URLCONF", None):
        return []
    from .urls import VIEWS

    wrong = sorted(name for name, view in VIEWS.items() if not _is_reached(name, view))
    if not wrong:
        return []
    message = f"These URLs of allauth do not lead to the bridge's views: {', '.join(wrong)}."
    hint = "Include grant_management.contrib.allauth_idp.urls in place of allauth.idp.urls."
    return [Error(message, hint=hint, id=f"{ID}.E003")]


@register(Tags.security)
def check_key(**kwargs: Any) -> list[CheckMessage]:
    """E004: allauth has no key to sign ID tokens with, or one that cannot be read."""
    try:
        load_pem_private_key(get_adapter().get_signing_key().pem.encode(), None)
    except (ImproperlyConfigured, ValueError, TypeError):
        message = "allauth has no usable private key: a request with scope openid would fail."
        hint = "Set IDP_OIDC_PRIVATE_KEY to an RSA key in PEM."
        return [Error(message, hint=hint, id=f"{ID}.E004")]
    return []


@register(Tags.caches, deploy=True)
def check_cache(**kwargs: Any) -> list[CheckMessage]:
    """W001: a code that one process issued is unknown to the others."""
    if not settings.CACHES.get("default", {}).get("BACKEND", "").endswith(NOT_SHARED):
        return []
    message = "allauth keeps its codes in the default cache, which processes do not share."
    hint = "Set CACHES to a cache that they share, such as DatabaseCache or RedisCache."
    return [CheckWarning(message, hint=hint, id=f"{ID}.W001")]


def _is_reached(name: str, view: Any) -> bool:
    """Whether the URL of this name leads to the view. allauth leaves out `userinfo` if so set."""
    try:
        found = resolve(reverse(f"idp:oidc:{name}")).func
    except NoReverseMatch:
        return bool(name == "userinfo" and app_settings.USERINFO_ENDPOINT)
    return getattr(found, "view_class", None) is view
