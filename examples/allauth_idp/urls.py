"""Login, allauth's provider with grant management, the grant management API, the admin."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("grant_management.contrib.allauth_idp.urls")),
    path("", include("grant_management.urls")),
]
