"""Who the person is, in the demo: a user who is no operator, and whose name is the subject."""

from django.http import HttpRequest

from grant_management.models import Service


def person_of(request: HttpRequest) -> tuple[Service, str] | None:
    """The demo's service and the user's name; None: nobody has logged in, or an operator has."""
    user, service = request.user, Service.objects.first()
    if not user.is_authenticated or user.is_staff or service is None:
        return None
    return service, user.get_username()
