"""Tags for the pages of the admin. They need no more than what every page of an `AdminSite` has in
its context, so they work in a host's own site.
"""

from datetime import datetime
from typing import Any

from django import template
from django.contrib.admin.views.main import ChangeList
from django.template import Context

from ..admin.kit.short_table import table
from ..admin.kit.utc import exact_tag
from ..admin.navigation import navigation, under_their_labels
from ..admin.related import related

register = template.Library()


@register.inclusion_tag("admin/grant_management/navigation.html", takes_context=True)
def grant_management_navigation(context: Context) -> dict[str, Any]:
    """The navigation by task, the service in view and the search box."""
    return navigation(context)


@register.inclusion_tag("admin/grant_management/related.html", takes_context=True)
def grant_management_related(context: Context, row: Any) -> dict[str, Any]:
    """Links from a call or an event to its person, grant, client, job and result code."""
    return {"links": related(context.request, row)}  # type: ignore[attr-defined]


@register.inclusion_tag("admin/change_list_results.html")
def grant_management_table(shown: ChangeList) -> dict[str, Any]:
    """The table of a short list."""
    return table(shown)


@register.filter
def grant_management_tasks(apps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Django's list of apps, whose models are called as the navigation calls them."""
    return under_their_labels(apps)


@register.filter
def grant_management_time(at: datetime) -> str:
    """A time to the second, in the operator's zone."""
    return exact_tag(at)
