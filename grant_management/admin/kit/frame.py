"""What every page of this app's admin has around it: the operator's language and time zone, and
friendly answers where a page does not exist or may not be seen. It works in any admin site of a
host.
"""

from collections.abc import Callable
from datetime import UTC, tzinfo
from functools import cache, wraps
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.translation import gettext_lazy as _

from .language import in_operators_language, offered
from .preference import preference_of
from .zone import shown_in, zone_name

View = Callable[..., HttpResponse]


def framed(route: Any, page: "ModelAdmin[Any]") -> Any:
    """The route of a page, whose answers get this frame."""
    if isinstance(route, URLPattern):
        route.callback = in_operators_language(_framed(route.callback, page))
    return route


def _framed(view: View, page: "ModelAdmin[Any]") -> View:
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with shown_in(zone_named(preference_of(request).time_zone)):
            try:
                response = view(request, *args, **kwargs)
            except PermissionDenied:
                response = _refusal(request, page, _("You may not open this page"), 403)
            except Http404:
                response = _refusal(request, page, _("Page not found"), 404)
            return _rendered(response, page)

    return answer


def _rendered(response: HttpResponse, page: "ModelAdmin[Any]") -> HttpResponse:
    """The response; a page is rendered here, while the operator's zone is that of this context."""
    if isinstance(response, TemplateResponse) and not response.is_rendered:
        name = "admin:grant_management_operatorpreference_changelist"
        shown = {
            "time_zone": zone_name(),
            "languages": offered(),
            "time_zone_url": reverse(name, current_app=page.admin_site.name),
        }
        response.context_data = shown | (response.context_data or {})
        response.render()
    return response


@cache
def zone_named(name: str) -> tzinfo:
    """The zone of this name; UTC for "" and for a name that this machine does not know."""
    return ZoneInfo(name) if name in zone_names() and name != "UTC" else UTC


@cache
def zone_names() -> tuple[str, ...]:
    """The names that can be chosen: UTC, then those of the time zone database by region."""
    regions = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe")
    known = (name.partition("/") for name in sorted(available_timezones()))
    placed = [f"{a}/{b}" for a, _slash, b in known if a in (*regions, "Indian", "Pacific")]
    return ("UTC", *placed)


def _refusal(
    request: HttpRequest, page: "ModelAdmin[Any]", title: Any, status: int
) -> HttpResponse:
    site = page.admin_site
    request.current_app = site.name
    context = {**site.each_context(request), "title": title, "media": page.media}
    name = f"admin/grant_management/{status}.html"
    return TemplateResponse(request, name, context, status=status)
