"""The admin and the API."""

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path
from django.views.defaults import page_not_found

from gm_project.front import front
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


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A page for the admin's users, JSON for everybody else."""
    if settings.ONLY != "api" and request.path_info.startswith("/admin/"):
        return page_not_found(request, exception, "admin/grant_management/404.html")
    return refusal_response(Refused(Result.ROUTE_UNKNOWN))


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A line of text for the admin's users, JSON for everybody else. A wrong Host is named."""
    refused = Refused(Result.BODY_UNREADABLE, what_is_unreadable(request))
    if settings.ONLY != "api" and request.path_info.startswith("/admin/"):
        return HttpResponse(refused.message, status=400, content_type="text/plain")
    return refusal_response(refused)
