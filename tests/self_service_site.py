"""A host with the person's pages: who the person is stands in a header of the test's."""

from django.urls import include, path

from gm_project.urls import urlpatterns as standalone
from grant_management.models import Service

urlpatterns = [path("me/apps/", include("grant_management.contrib.self_service.urls")), *standalone]
CHANGES = {
    "SELF_SERVICE_SUBJECT": "tests.self_service_site.person_of",
}


def person_of(request):
    """`X-Person: SERVICE SUBJECT`; without it nobody has logged in."""
    service, _, subject = request.headers.get("X-Person", "").partition(" ")
    if not service:
        return None
    return Service.objects.filter(pk=service).first() or int(service), subject


def careless(request):
    """What a host must not do: the user's key, which is None for nobody."""
    return int(request.headers["X-Person"]), request.user.pk
