"""`issue_api_token (--service N | --organization N) [--description S] …`."""

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser

from ...fields import members as m
from ...models import ApiToken, Organization, Service
from ...models.api_token import OF_ORGANIZATIONS, RIGHTS
from ..base import GrantManagementCommand, find_organization, find_service, taken


class Command(GrantManagementCommand):
    """Issues an API token."""

    help = "Issue an API token. Its clear value is shown here, and never again."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the owner, the description, the lifetime and the rights."""
        super().add_arguments(parser)
        owner = parser.add_mutually_exclusive_group(required=True)
        owner.add_argument("--service", type=int, metavar="N", help="for one service")
        owner.add_argument("--organization", type=int, metavar="N", help="for all its services")
        parser.add_argument("--description", default="", metavar="TEXT", help="what operators see")
        parser.add_argument("--expires-in", type=int, metavar="SECONDS", help="default: never")
        for name in RIGHTS:
            only = "organization tokens only" if name in OF_ORGANIZATIONS else ""
            parser.add_argument(f"--{name.replace('_', '-')}", action="store_true", help=only)

    def handle(self, **options: Any) -> None:
        """Issue the token, and print its clear value."""
        organization, service = _owner(options)
        token, value = ApiToken.objects.issue(
            organization=organization,
            service=service,
            description=taken(options, m.DESCRIPTION),
            expires_in=_expiry(options),
            actor=self.actor,
            **{name: options[name] for name in RIGHTS},
        )
        shown = {"tokenId": str(token.pk), "accessToken": value, "kind": token.kind}
        text = f"API token {token.pk} ({token.kind}). It is shown this once:\n{value}"
        self.answer(options, shown, text)


def _owner(options: dict[str, Any]) -> tuple[Organization, Service | None]:
    if options["organization"] is not None:
        return find_organization(options["organization"]), None
    if any(options[name] for name in OF_ORGANIZATIONS):
        raise CommandError("Only an organization token can manage tokens or services.")
    service = find_service(options["service"])
    return service.organization, service


def _expiry(options: dict[str, Any]) -> timedelta | None:
    seconds = taken(options, m.EXPIRES_IN)
    return None if seconds is None else timedelta(seconds=seconds)
