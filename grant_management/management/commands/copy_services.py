"""`copy_services`."""

from typing import Any

from ...db import apart, primary
from ...models import Organization, Service, copies
from ..base import GrantManagementCommand


class Command(GrantManagementCommand):
    """Writes the copies of services that live apart again."""

    help = (
        "Where services live apart (SERVICE_DATABASES): write the copy of each of them in the first"
        " database again, and that of its organization in its own. Run it where doctor says that"
        " they differ; beside running servers, at any time."
    )

    def handle(self, **options: Any) -> None:
        """Copy; say how many services. CommandError: a database failed."""
        self._copied = 0
        self.in_each_database(self._copy)
        self.answer(options, {"services": self._copied}, f"{self._copied} service(s) copied.")

    def _copy(self) -> None:
        for number in Service.objects.values_list("pk", flat=True) if apart.is_away() else ():
            with primary.atomic():
                service = Service.objects.select_for_update().get(pk=number)
                copies.of_organization(Organization.objects.get(pk=service.organization_id))
                service.copy()
            self._copied += 1
