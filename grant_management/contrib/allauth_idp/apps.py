"""The Django app of the bridge."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AllauthIdpConfig(AppConfig):
    """The bridge to `allauth.idp.oidc`."""

    name = "grant_management.contrib.allauth_idp"
    label = "grant_management_allauth_idp"
    verbose_name = _("Grant management for allauth")

    def ready(self) -> None:
        """Register the system checks, and connect the receivers."""
        from . import checks, receivers  # noqa: F401 - registered by being imported

        receivers.connect()
