"""`set_cut_off (--service N [--client ID])`."""

from typing import Any

from django.core.management.base import CommandParser

from ...fields import members as m
from ...models import Client, Reason, Service
from ...models.stops import stops_of
from ..base import GrantManagementCommand, find_client, find_service, taken


class Command(GrantManagementCommand):
    """Moves a cut-off to now."""

    help = (
        "Stop every grant and token of a service, or of one of its clients, that came before now:"
        " one write, for one grant as for a million. It cannot be undone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the service, the client and the reason."""
        super().add_arguments(parser)
        parser.add_argument("--service", type=int, required=True, metavar="N", help="its number")
        parser.add_argument("--client", metavar="ID", help="its client_id; default: all clients")
        parser.add_argument("--reason", default="", metavar="WORD", help="for the event")

    def handle(self, **options: Any) -> None:
        """Move the cut-off of the service, or of its client."""
        service = find_service(options["service"])
        client = options["client"]
        target: Service | Client = service if client is None else find_client(service, client)
        why, told = Reason(taken(options, m.REASON)), stops_of(target).as_json()
        target.move_cut_off(self.actor, why, told=told)
        not_before = target.not_before.isoformat() if target.not_before else None
        value = {"service": service.pk, "client": client, "notBefore": not_before}
        whose = f"service {service.pk}" + (f", client {client}" if client is not None else "")
        self.answer(options, value, f"All of {whose} that came before {not_before} is dead.")
