"""The admin of the standalone project."""

from django.contrib.admin.apps import AdminConfig


class OperatorsAdminConfig(AdminConfig):
    """Django's admin, on a site of our own."""

    default_site = "gm_project.site.OperatorsSite"
