"""`verify_events [--service N] [--head FILE]`."""

from pathlib import Path
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser

from ...db.snapshot import snapshot
from ...events.verifying import findings
from ...models import EventChain, Service
from ..base import GrantManagementCommand, find_service

NO_CHAIN: Final = "It publishes its events, but has no chain"


class Command(GrantManagementCommand):
    """Verifies the hash chains of events."""

    help = (
        "Verify the hash chain of a service's events: name each row that was changed, removed,"
        " inserted or moved. Events after the last head that was exported are not protected from"
        " somebody who can write to the database. Exit code 1: something was found."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the service and the head."""
        super().add_arguments(parser)
        parser.add_argument("--service", type=int, metavar="N", help="default: each with a chain")
        parser.add_argument("--head", metavar="FILE", help="what export_event_head wrote")

    def handle(self, **options: Any) -> None:
        """Say what was found. CommandError: something was, or there is nothing to verify."""
        number, head = options["service"], _read(options["head"])
        found: list[dict[str, Any]] = []
        chains: list[EventChain] = []

        def verify() -> None:
            chains.extend(self._verify(number, head, found))

        if number is None:
            self.in_each_database(verify)
        else:
            verify()
        events = sum(chain.position - chain.purged_position for chain in chains)
        text = f"{events} events of {len(chains)} service(s) verified, {len(found)} finding(s)."
        self.answer(options, {"events": events, "findings": found}, text)
        if found:
            raise CommandError("The events are not as they were.")

    def _verify(
        self, number: int | None, head: str, found: list[dict[str, Any]]
    ) -> list[EventChain]:
        """The chains of the database in view; adds what was found."""
        with snapshot():
            chains = _chains(number, has_head=bool(head))
            if number is None:
                found += self._without_chain()
            for chain in chains:
                for one in findings(chain, head):
                    self.stderr.write(f"Service {chain.service_id}: {one}.")
                    found.append({"service": chain.service_id, "found": str(one)})
        return chains

    def _without_chain(self) -> list[dict[str, Any]]:
        """The services that publish their events, but whose chain is gone."""
        rows = Service.objects.filter(publishes_events=True, eventchain=None).order_by("pk")
        numbers = list(rows.values_list("pk", flat=True))
        for number in numbers:
            self.stderr.write(f"Service {number}: {NO_CHAIN}.")
        return [{"service": number, "found": NO_CHAIN} for number in numbers]


def _chains(number: int | None, *, has_head: bool) -> list[EventChain]:
    """The chains to verify. CommandError: there is none, or more than one for a head."""
    rows = EventChain.objects.of_each_service()
    if number is not None:
        rows = rows.filter(service=find_service(number, also_deleted=True))
    elif has_head:
        raise CommandError("A head is one service's: name it with --service.")
    chains = list(rows)
    if not chains and number is not None:
        raise CommandError(f"Run publish_events --service {number} first.")
    return chains


def _read(name: str | None) -> str:
    """The head in the file. CommandError: it cannot be read."""
    try:
        return Path(name).read_text(encoding="ascii") if name else ""
    except (OSError, UnicodeDecodeError):
        raise CommandError(f"{name} cannot be read.") from None
