"""Login, the toolkit with grant management, the grant management API, the admin."""

from django.contrib import admin
from django.contrib.auth.views import LoginView
from django.urls import include, path
from protected import accounts

urlpatterns = [
    path("login/", LoginView.as_view(), name="login"),
    path("admin/", admin.site.urls),
    path("o/", include("grant_management.contrib.oauth_toolkit.urls")),
    path("accounts/", accounts),
    path("", include("grant_management.urls")),
    path("", include("grant_management.contrib.oauth_toolkit.metadata_urls")),
]
