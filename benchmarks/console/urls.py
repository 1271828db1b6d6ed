"""The URLs of the standalone project, and of the person's pages."""

from django.urls import include, path

from gm_project.urls import urlpatterns as standalone

urlpatterns = [path("me/apps/", include("grant_management.contrib.self_service.urls")), *standalone]


def person_of(request):
    """Who asks stands in a header: `X-Person: SERVICE SUBJECT`."""
    service, _, subject = request.headers.get("X-Person", "").partition(" ")
    return (int(service), subject) if service else None
