"""The Django apps of the standalone project."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ProjectConfig(AppConfig):
    """The project itself: it is an app because of its commands, its checks and its table."""

    name = "gm_project"

    def ready(self) -> None:
        """Register the system checks."""
        from . import checks  # noqa: F401


class OperatorsAdminConfig(AdminConfig):
    """Django's admin, with our own site."""

    default_site = "gm_project.site.OperatorsSite"
