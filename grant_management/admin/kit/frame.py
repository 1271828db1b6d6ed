"""What every page of this app's admin has around it: the operator's language and time zone, and
friendly answers where a page does not exist or may not be seen. It works in any admin site of a
host.
"""

from collections.abc import Callable
from datetime import UTC, tzinfo
from functools import cache, wraps
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.contrib.admin import AdminSite, ModelAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ...models import OperatorPreference
from .address import addresses
from .database import shown_database
from .language import in_operators_language, offered
from .preference import preference_of
from .zone import shown_in, zone_name

View = Callable[..., HttpResponse]


def framed(route: Any, page: "ModelAdmin[Any]") -> Any:
    """The route of a page, whose answers get this frame."""
    if isinstance(route, URLPattern):
        view = in_frame(route.callback, page.admin_site, page.model)
        route.callback = in_operators_language(view)
    return route


def in_frame(view: View, site: AdminSite, model: type[Model] | None = None) -> View:
    """The view, whose page has this frame at an admin site. Django's own pages show times in the
    operator's zone, too. `model`: what the page is about; None: no model of this app.
    """

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        zone = zone_named(preference_of(request).time_zone)
        key = str(kwargs.get("object_id") or kwargs.get("pk") or "")
        database = shown_database(request, model, key)
        with shown_in(zone), timezone.override(zone), database:
            try:
                response = view(request, *args, **kwargs)
            except PermissionDenied:
                response = refusal(request, site, _("You may not open this page"), 403)
            except Http404:
                response = refusal(request, site, _("Page not found"), 404)
            return _rendered(response, site)

    return answer


def not_found(request: HttpRequest, site: AdminSite) -> HttpResponse | None:
    """The page that says that a path of this site leads nowhere; None: it is a site without the
    pages of this app.
    """
    if not site.is_registered(OperatorPreference):
        return None
    return in_operators_language(in_frame(_nowhere, site))(request)


def _nowhere(request: HttpRequest) -> HttpResponse:
    raise Http404


def _rendered(response: HttpResponse, site: AdminSite) -> HttpResponse:
    """The response; a page is rendered here, while the operator's zone is that of this context."""
    if isinstance(response, TemplateResponse) and not response.is_rendered:
        name = "admin:grant_management_operatorpreference_changelist"
        shown = {
            "time_zone": zone_name(),
            "languages": offered(),
            "time_zone_url": addresses(site.name)[name],
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


def refusal(request: HttpRequest, site: AdminSite, title: Any, status: int) -> HttpResponse:
    """The page of this status, with the navigation."""
    request.current_app = site.name
    media = site.get_model_admin(OperatorPreference).media
    context = {**site.each_context(request), "title": title, "media": media}
    context["app_label"] = OperatorPreference._meta.app_label  # its templates have the navigation
    name = f"admin/grant_management/{status}.html"
    return TemplateResponse(request, name, context, status=status)
