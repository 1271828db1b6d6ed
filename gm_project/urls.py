"""The admin and the API."""

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, URLResolver, include, path
from django.utils.translation import gettext_lazy as _
from django.views.defaults import permission_denied

from gm_project.front import front
from grant_management.admin.kit.language import spoken
from grant_management.admin.kit.preference import preference_of
from grant_management.api.errors import refusal_response, what_is_unreadable
from grant_management.protocol.results import Refused, Result

_Route = URLPattern | URLResolver
API: list[_Route] = [path("", include("grant_management.urls"))]
if settings.API_SCHEMA:  # before the API, which answers all paths below /api/
    API.insert(0, path("", include("grant_management.contrib.openapi.urls")))
ADMIN: list[_Route] = [
    # Browsers ask for it on every page; that there is none is no error.
    path("favicon.ico", lambda request: HttpResponse(status=204)),
    path("admin/", admin.site.urls),
]
DOORS = {"api": API, "admin": ADMIN, "": [*ADMIN, *API]}
urlpatterns = [path("", front), *DOORS[settings.ONLY]]


def _refusal(request: HttpRequest, status: int, title: object) -> HttpResponse:
    """A page of the admin that says so, with its navigation, in the operator's language."""
    context = {**admin.site.each_context(request), "title": title}
    with spoken(preference_of(request).language):
        return render(request, f"admin/grant_management/{status}.html", context, status=status)


def _is_of_admin(request: HttpRequest) -> bool:
    return settings.ONLY != "api" and request.path_info.startswith("/admin/")


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A page for the admin's users, JSON for everybody else."""
    if _is_of_admin(request):
        return _refusal(request, 404, _("Page not found"))
    return refusal_response(Refused(Result.ROUTE_UNKNOWN))


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A page for the admin's users, such as at the lists of users and roles; else Django's."""
    if _is_of_admin(request):
        return _refusal(request, 403, _("You may not open this page"))
    return permission_denied(request, exception)


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A line of text for the admin's users, JSON for everybody else. A wrong Host is named."""
    refused = Refused(Result.BODY_UNREADABLE, what_is_unreadable(request))
    if _is_of_admin(request):
        return HttpResponse(refused.message, status=400, content_type="text/plain")
    return refusal_response(refused)
