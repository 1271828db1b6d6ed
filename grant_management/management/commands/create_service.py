"""`create_service --organization N --name S [--id N] [--grant-management-endpoint URL]`."""

from typing import Any

from django.core.management.base import CommandParser

from ...fields import members as m
from ...models import Service
from ..base import GrantManagementCommand, find_organization, save_new, taken


class Command(GrantManagementCommand):
    """Creates a service."""

    help = "Create a service: the grants, tokens and clients of one authorization server."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the organization, the name, the number and the endpoint."""
        super().add_arguments(parser)
        parser.add_argument(
            "--organization", type=int, required=True, metavar="N", help="its number"
        )
        parser.add_argument("--name", required=True, metavar="NAME", help="what operators see")
        parser.add_argument("--id", type=int, metavar="N", help="default: drawn at random")
        parser.add_argument(
            "--grant-management-endpoint",
            default="",
            metavar="URL",
            help="where clients call; a slash and the grant ID follow it",
        )

    def handle(self, **options: Any) -> None:
        """Create the service, with its event."""
        number = {} if options["id"] is None else {"id": options["id"]}
        service = Service(
            organization=find_organization(options["organization"]),
            name=taken(options, m.NAME),
            grant_management_endpoint=taken(options, m.ENDPOINT),
            **number,
        )
        save_new(service, self.actor)
        value = {"id": service.pk, "name": service.name}
        self.answer(options, value, f"Service {service.pk}: {service.name}")
