"""`rotate_signing_key --service N [--overlap SECONDS]`."""

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser

from ...db.encryption import CannotDecrypt
from ...fields import members as m
from ...models import SigningKey
from ...models.signing_key import OVERLAP
from ..base import GrantManagementCommand, find_service, taken


class Command(GrantManagementCommand):
    """Rotates the key that signs a service's security events."""

    help = (
        "Give a service a new key that signs its Security Event Tokens (Shared Signals) from now"
        " on. The keys before it stay in its JWK Set for the overlap, so that receivers verify what"
        " is on its way. An overlap of 0 takes a key back that others may know."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the service and the overlap."""
        super().add_arguments(parser)
        parser.add_argument("--service", type=int, required=True, metavar="N", help="its number")
        parser.add_argument(
            "--overlap", type=int, metavar="SECONDS", help="default: 86400, which is a day"
        )

    def handle(self, **options: Any) -> None:
        """Rotate it. CommandError: there are no `ENCRYPTION_KEYS`."""
        service, seconds = find_service(options["service"]), taken(options, m.OVERLAP)
        overlap = OVERLAP if seconds is None else timedelta(seconds=seconds)
        try:
            key = SigningKey.objects.rotate(service, self.actor, overlap=overlap)
        except CannotDecrypt:
            raise CommandError("Set ENCRYPTION_KEYS: without a key none can be kept.") from None
        ends = int(overlap.total_seconds())
        text = f"Key {key.kid} signs from now on; those before it end in {ends} second(s)."
        self.answer(options, {"kid": key.kid, "overlap": ends}, text)
