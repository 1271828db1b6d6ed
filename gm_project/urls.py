"""The admin and the API."""

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path
from django.utils.translation import gettext_lazy as _
from django.views.defaults import permission_denied

from gm_project.front import front
from grant_management.admin.kit.frame import in_frame, refusal
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
    """A page of the console that says so, with its navigation, in the operator's language."""
    view = in_frame(lambda asked: refusal(asked, admin.site, title, status), admin.site)
    with spoken(preference_of(request).language):
        return view(request)


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
    """A page for the admin's users, JSON for everybody else. A wrong Host is named, in a line of
    text: what makes pages has not seen the request.
    """
    refused = Refused(Result.BODY_UNREADABLE, what_is_unreadable(request))
    if not _is_of_admin(request):
        return refusal_response(refused)
    if not hasattr(request, "user"):
        return HttpResponse(refused.message, status=400, content_type="text/plain")
    return _refusal(request, 400, _("This request cannot be read"))
