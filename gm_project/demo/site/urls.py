"""The demo's URLs: those of the standalone project, and the person's below `/account/`."""

from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.defaults import page_not_found

from gm_project import urls

_LOGIN = LoginView.as_view(template_name="demo_site/login.html", redirect_authenticated_user=False)

urlpatterns = [
    path("account/login/", _LOGIN, name="demo_login"),
    path("account/logout/", LogoutView.as_view(), name="demo_logout"),
    path("account/apps/", include("grant_management.contrib.self_service.urls")),
    *urls.urlpatterns,
]
handler400 = urls.handler400


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A page for the person; to everybody else what the standalone project says."""
    if request.path_info.startswith("/account/"):
        return page_not_found(request, exception)
    return urls.handler404(request, exception)
