"""The Django app of the person's pages."""

from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class SelfServiceConfig(AppConfig):
    """The pages on which people see and end what apps may do."""

    name = "grant_management.contrib.self_service"
    label = "grant_management_self_service"
    verbose_name = pgettext_lazy("self-service", "Connected apps")

    def ready(self) -> None:
        """Register the system checks."""
        from . import checks  # noqa: F401 - registered by being imported
