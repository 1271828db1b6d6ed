"""The Django apps of the standalone project."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ProjectConfig(AppConfig):
    """The project itself: it is an app because of its `migrate`."""

    name = "gm_project"


class OperatorsAdminConfig(AdminConfig):
    """Django's admin, with our own site."""

    default_site = "gm_project.site.OperatorsSite"
