"""The Django app of the bridge."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OAuthToolkitConfig(AppConfig):
    """The bridge to django-oauth-toolkit."""

    name = "grant_management.contrib.oauth_toolkit"
    label = "grant_management_oauth_toolkit"
    verbose_name = _("Grant management for django-oauth-toolkit")

    def ready(self) -> None:
        """Register the system checks, and connect the receivers."""
        from . import checks, receivers  # noqa: F401 - registered by being imported

        receivers.connect()
