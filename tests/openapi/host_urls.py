"""The URLs of a host that has the app, and the document, under a prefix."""

from django.urls import include, path

urlpatterns = [
    path("oauth/", include("grant_management.contrib.openapi.urls")),
    path("oauth/", include("grant_management.urls")),
]
