"""Who the person is: what the host's function says of a request."""

from typing import Any, NamedTuple

from django.http import HttpRequest
from django.utils.module_loading import import_string

from grant_management.conf import app_settings
from grant_management.models import Service


class Person(NamedTuple):
    """A person at a service: the subject of their grants there."""

    service: Service
    subject: str


def person_of(request: HttpRequest) -> Person | None:
    """The person who has logged in; None: nobody has, or the service does not exist any more.

    TypeError: the host's function gives something else than (service, subject) or None. A subject
    is a string: with None the grants that are nobody's would be shown.
    """
    path = app_settings.self_service_subject
    found: Any = import_string(path)(request) if path else None
    if found is None:
        return None
    service, subject = found
    if not isinstance(subject, str) or not subject:
        raise TypeError("SELF_SERVICE_SUBJECT must give the subject as a string.")
    number = service.pk if isinstance(service, Service) else service
    # Read again: the host may have kept the row, and its cut-off and its deletion count.
    row = Service.objects.filter(pk=number, deleted_at=None).first()
    return None if row is None else Person(row, subject)
