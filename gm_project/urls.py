"""The admin and the API."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.defaults import page_not_found

from grant_management.api.errors import refusal_response
from grant_management.protocol.results import Refused, Result

urlpatterns = [
    # Browsers ask for it on every page. There is none, and that should log no error.
    path("favicon.ico", lambda request: HttpResponse(status=204)),
    path("admin/", admin.site.urls),
    path("", include("grant_management.urls")),
]


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A page for the admin's users, JSON for everybody else."""
    if request.path_info.startswith("/admin/"):
        return page_not_found(request, exception)
    return refusal_response(Refused(Result.ROUTE_UNKNOWN))
