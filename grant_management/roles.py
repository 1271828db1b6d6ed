"""The operators' roles, as groups: created by `migrate`, and the host's to change from then on."""

from typing import Any, Final

from django.apps import apps
from django.db import router
from django.utils.translation import gettext_noop as _

VIEWER: Final = _("Grant management: viewer")
SUPPORT: Final = _("Grant management: support")
INCIDENT: Final = _("Grant management: incident")
ADMINISTRATOR: Final = _("Grant management: administrator")

_VIEW = (
    "view_organization",
    "view_service",
    "view_client",
    "view_grant",
    "view_accesstoken",
    "view_refreshtoken",
    "view_dpopnonce",
    "view_grantevent",
    "view_organizationevent",
    "view_call",
    "view_dailycount",
    "view_sweep",
    "view_description",
    "view_clientprofile",
    "view_webhook",
    "view_webhookdelivery",
    "view_stream",
)
_SUPPORT = (*_VIEW, "revoke_grant")
_INCIDENT = (
    *_SUPPORT,
    "lock_client",
    "cut_off_client",
    "cut_off_service",
    "expire_dpopnonce",
    "start_sweep",
)
_ADMINISTRATOR = (
    *_INCIDENT,
    "add_organization",
    "change_organization",
    "add_service",
    "change_service",
    "add_client",
    "change_client",
    "view_apitoken",
    "manage_apitoken",
    "manage_webhook",
    "manage_stream",
    "view_organizationmember",
    "add_organizationmember",
    "delete_organizationmember",
    "manage_operator",
    "change_description",
    "change_clientprofile",
)
ROLES: Final = {
    VIEWER: _VIEW,
    SUPPORT: _SUPPORT,
    INCIDENT: _INCIDENT,
    ADMINISTRATOR: _ADMINISTRATOR,
}
"""Codenames of permissions, by group."""


def create_roles(sender: Any, using: str, **kwargs: Any) -> None:
    """Create the groups that are missing, after `migrate`. An existing group is not changed."""
    if not apps.is_installed("django.contrib.auth"):
        return
    from django.contrib.auth.management import create_permissions
    from django.contrib.auth.models import Group, Permission

    if not router.allow_migrate_model(using, Group):  # users may live in another database
        return

    # Django's own receiver, which creates the permissions, may run later than this one.
    # `apps`: the models as they are after the last migration that was run.
    create_permissions(sender, using=using, verbosity=0, apps=kwargs.get("apps", apps))
    ours = Permission.objects.using(using).filter(content_type__app_label="grant_management")
    for name, codenames in ROLES.items():
        group, created = Group.objects.using(using).get_or_create(name=name)
        if created:
            group.permissions.set(ours.filter(codename__in=codenames))
