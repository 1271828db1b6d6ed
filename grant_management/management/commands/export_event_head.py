"""`export_event_head --service N`."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from ...conf import app_settings
from ...models import EventChain
from ...protocol.event_chain import public_jwk
from ..base import GrantManagementCommand, find_service


class Command(GrantManagementCommand):
    """Writes the signed head of a service's event chain."""

    help = (
        "Write the head of a service's event chain to standard output, signed as a JWS. Keep it"
        " where nobody who can write to the database can: it protects every event before it. With"
        " --json also the public key that verifies it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the service."""
        super().add_arguments(parser)
        parser.add_argument("--service", type=int, required=True, metavar="N", help="its number")

    def handle(self, **options: Any) -> None:
        """Write it. CommandError: there is no chain or no key."""
        service = find_service(options["service"], also_deleted=True)
        chain = EventChain.objects.filter(service=service).first()
        if chain is None:
            raise CommandError(f"Run publish_events --service {service.pk} first.")
        keys = app_settings.event_signing_keys
        if not keys:
            raise CommandError("Set EVENT_SIGNING_KEYS: without a key nothing is signed.")
        head = chain.head()
        shown = {"head": head, "position": chain.position, "jwk": public_jwk(keys[0])}
        self.answer(options, shown, head)
