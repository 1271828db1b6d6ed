"""`publish_events --service N`."""

from typing import Any, Final

from django.core.management.base import CommandParser

from ...models import EventChain, publishing
from ..base import GrantManagementCommand, find_service
from ..progress import progress

BATCH: Final = 1_000


class Command(GrantManagementCommand):
    """Publishes the events of a service: those from before, and those to come."""

    help = (
        "Publish the events of a service, so that `export_events` and the API give them in an order"
        " in which none is passed over: those from before, and each that comes. A hash chain is"
        " built behind them, which `verify_events` verifies. From then on a change writes one row"
        " more. Safe to interrupt and to run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the service."""
        super().add_arguments(parser)
        parser.add_argument("--service", type=int, required=True, metavar="N", help="its number")

    def handle(self, **options: Any) -> None:
        """Publish; say how many events from before were added."""
        service = find_service(options["service"], also_deleted=True)
        publishing.publish(service, self.actor)
        added = 0
        with progress("Publishing") as advance:
            for number in publishing.add_history(service, BATCH):
                added += number
                advance(number)
        EventChain.objects.begin(service)
        text = f"Service {service.pk} publishes its events. {added} of them are from before."
        self.answer(options, {"service": service.pk, "added": added}, text)
