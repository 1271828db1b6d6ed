"""The admin and the API."""

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.defaults import page_not_found

from grant_management.api.errors import refusal_response
from grant_management.protocol.results import Refused, Result

API = [path("", include("grant_management.urls"))]
ADMIN = [
    # Browsers ask for it on every page; that there is none is no error.
    path("favicon.ico", lambda request: HttpResponse(status=204)),
    path("admin/", admin.site.urls),
]
urlpatterns = {"api": API, "admin": ADMIN}.get(settings.ONLY, [*ADMIN, *API])


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A page for the admin's users, JSON for everybody else."""
    if settings.ONLY != "api" and request.path_info.startswith("/admin/"):
        return page_not_found(request, exception)
    return refusal_response(Refused(Result.ROUTE_UNKNOWN))
