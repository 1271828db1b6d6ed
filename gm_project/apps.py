"""The standalone project and its admin, as Django's registry has them."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ProjectConfig(AppConfig):
    """The project itself, for its `migrate`."""

    name = "gm_project"


class OperatorsAdminConfig(AdminConfig):
    """Django's admin, on a site of our own."""

    default_site = "gm_project.site.OperatorsSite"
