"""Whether the copies of services that live apart are like their rows (`models.copies`)."""

from collections.abc import Iterator
from typing import Final

from django.core.checks import CheckMessage

from ..db import apart
from ..models import Organization, Service, copies
from .advice import found

COPIED: Final = ("organization_id", "name", "deleted_at")
"""What services are looked up by."""
LISTED: Final = 10


def check_copies(alias: str) -> Iterator[CheckMessage]:
    """W019: rows of a database and of the first one differ, or a service is not where it should
    be. Without a map it is asked of no database.
    """
    here = Service.objects.using(alias).values_list("pk", flat=True)
    known = Service.objects.using(apart.first()).values_list("pk", flat=True)
    missing = {number for number in known if apart.database_of(number) == alias} - set(here)
    renamed = copies.differing(Organization, alias, ("name",))
    owned = Service.objects.using(alias).filter(organization__in=renamed)
    numbers = {*missing, *copies.differing(Service, alias, COPIED)}
    numbers |= set(owned.values_list("pk", flat=True))
    if numbers:
        listed = ", ".join(map(str, sorted(numbers)[:LISTED]))
        yield found("W019", f"Services differ in the database {alias} and the first one: {listed}.")
