"""The app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GrantManagementConfig(AppConfig):
    """Grant Management for OAuth 2.0."""

    name = "grant_management"
    verbose_name = _("Grant management")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks."""
        from . import checks  # noqa: F401
