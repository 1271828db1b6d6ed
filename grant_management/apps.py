"""The configuration of the Django app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class GrantManagementConfig(AppConfig):
    """Grant Management for OAuth 2.0."""

    name = "grant_management"
    verbose_name = _("Grant management")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks, the receiver for deleted users, and the one that creates the
        operators' roles when the database is migrated.
        """
        from . import (  # noqa: F401
            checks,
            receivers,
            roles,
        )

        receivers.connect()
        post_migrate.connect(roles.create_roles, sender=self)
