"""`revoke_api_token TOKEN_ID`."""

import uuid
from typing import Any

from django.core.management.base import CommandError, CommandParser

from ...models import ApiToken
from ..base import GrantManagementCommand


class Command(GrantManagementCommand):
    """Revokes an API token."""

    help = "Revoke an API token: dead at the very next request."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the ID of the token."""
        super().add_arguments(parser)
        parser.add_argument("token_id", metavar="TOKEN_ID", type=uuid.UUID, help="its tokenId")

    def handle(self, **options: Any) -> None:
        """Revoke the token. It is no error where it is revoked already."""
        token = ApiToken.objects.filter(pk=options["token_id"]).first()
        if token is None:
            raise CommandError(f"There is no API token {options['token_id']}.")
        revoked = token.revoke(self.actor)
        said = "revoked" if revoked else "had been revoked before"
        value = {"tokenId": str(token.pk), "revoked": revoked}
        self.answer(options, value, f"API token {token.pk} {said}.")
