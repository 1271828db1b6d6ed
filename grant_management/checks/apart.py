"""System checks of `SERVICE_DATABASES`: what services that live apart need."""

from collections.abc import Iterator
from typing import Final

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error

from ..conf import app_settings
from ..db import apart

ROUTER: Final = "grant_management.db.routing.Router"
ONE_DATABASE: Final = (
    "grant_management.contrib.oauth_toolkit",
    "grant_management.contrib.allauth_idp",
    "grant_management.contrib.self_service",
)
"""Apps that know of one database alone."""


def check_apart() -> Iterator[CheckMessage]:
    """Errors where the map cannot work; none where there is no map."""
    if not apart.is_on():
        return
    if next(iter(settings.DATABASE_ROUTERS), None) != ROUTER:
        yield Error(
            "SERVICE_DATABASES needs the app's router.",
            hint=f"Put {ROUTER!r} first in DATABASE_ROUTERS.",
            id="grant_management.E039",
        )
    engines = {settings.DATABASES[alias]["ENGINE"] for alias in apart.databases()}
    if len(engines) > 1 or app_settings.read_replica in apart.databases():
        yield Error(
            "SERVICE_DATABASES names a database of another kind than the first, or the replica.",
            hint="All of them are SQLite, or all are PostgreSQL that takes writes.",
            id="grant_management.E040",
        )
    for name in filter(apps.is_installed, ONE_DATABASE):
        yield Error(
            f"{name} cannot be used with SERVICE_DATABASES.",
            hint="Leave one of the two out.",
            id="grant_management.E041",
        )
