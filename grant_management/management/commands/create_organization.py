"""`create_organization NAME [--id N]`."""

from typing import Any

from django.core.management.base import CommandParser

from ...fields import members as m
from ...models import Organization
from ..base import GrantManagementCommand, save_new, taken


class Command(GrantManagementCommand):
    """Creates an organization."""

    help = "Create an organization, which owns services."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the name, and a number for a caller who does not want a random one."""
        super().add_arguments(parser)
        parser.add_argument("name", metavar="NAME", help="what operators see")
        parser.add_argument("--id", type=int, metavar="N", help="default: drawn at random")

    def handle(self, **options: Any) -> None:
        """Create the organization, with its event."""
        number = {} if options["id"] is None else {"id": options["id"]}
        organization = Organization(name=taken(options, m.NAME), **number)
        save_new(organization, self.actor)
        value = {"id": organization.pk, "name": organization.name}
        self.answer(options, value, f"Organization {organization.pk}: {organization.name}")
