"""What a search finds among the settings: services, organizations and operators. There are as many
as tenants and colleagues, so that a part of a name needs no index.
"""

from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from ..models import Organization, OrganizationMember, Service
from .kit.database import number
from .sought import Hit, Kind, Sought

_USER: Any = get_user_model()
MOST: Final = 10
"""The most rows of one kind that are shown."""


def _services(sought: Sought) -> list[Hit]:
    rows = sought.rows(Service).filter(_number_or_name(sought)).select_related("organization")
    return [
        Hit(sought.url("service_change", one.pk), one, (str(one.pk), one.organization))
        for one in rows.order_by("name", "pk")[:MOST]
    ]


def _organizations(sought: Sought) -> list[Hit]:
    rows = sought.rows(Organization).filter(_number_or_name(sought))
    return [
        Hit(sought.url("organization_change", one.pk), one, (str(one.pk),))
        for one in rows.order_by("name", "pk")[:MOST]
    ]


def _number_or_name(sought: Sought) -> Q:
    """The condition of rows with this number, or whose names begin with the text."""
    typed, named = number(sought.text), Q(name__istartswith=sought.text)
    return named if typed is None else named | Q(pk=typed)


def _operators(sought: Sought) -> list[Hit]:
    """Users by name, with a link to the page of the user, or of a membership."""
    users = _USER._default_manager.filter(**{_USER.USERNAME_FIELD: sought.text})[:MOST]
    return [hit for user in users for hit in _pages_of(sought, user)]


def _pages_of(sought: Sought, user: Any) -> list[Hit]:
    name = user.get_username()
    if sought.sees(_USER):
        page = f"admin:{_USER._meta.app_label}_{_USER._meta.model_name}_change"
        return [Hit(reverse(page, args=[user.pk], current_app=sought.site.name), name)]
    rows = sought.rows(OrganizationMember).filter(user_id=user.pk).select_related("organization")
    return [
        Hit(
            sought.url("organizationmember_change", one.pk),
            name,
            (one.organization or _("All organizations"),),
        )
        for one in rows[:MOST]
    ]


SETTINGS: Final = (
    Kind(_("Services"), _("a service's number, or how its name begins"), (Service,), _services),
    Kind(
        _("Organizations"),
        _("an organization's number, or how its name begins"),
        (Organization,),
        _organizations,
    ),
    Kind(_("Operators"), _("a user name"), (OrganizationMember, _USER), _operators),
)
