"""The demo's URLs: those of the standalone project, and the person's below `/account/`."""

from django.apps import apps as installed
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path
from django.utils.translation import gettext as _

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
        return _refusal(request, 404, _("Page not found"))
    return urls.handler404(request, exception)


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The same, for an operator at a person's page."""
    if request.path_info.startswith("/account/"):
        return _refusal(request, 403, _("You may not open this page"))
    return urls.handler403(request, exception)


def _refusal(request: HttpRequest, status: int, title: str) -> HttpResponse:
    apps = installed.get_app_config("grant_management_self_service").verbose_name
    return render(request, "demo_site/refusal.html", {"title": title, "apps": apps}, status=status)
