"""`revoke_grants --service N [--client ID] [--subject S] [--scope NAME] …`."""

from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from ...bulk import COUNT_LIMIT, EmptyFilter, GrantFilter, revoke_found
from ...models import Reason
from ..base import GrantManagementCommand, find_client, find_service
from ..progress import progress


class Command(GrantManagementCommand):
    """Revokes many grants."""

    help = (
        "Revoke the live grants that a filter finds. A service, or one client of it, and a moment"
        " take effect with one write; the grants are stamped behind it. Safe to interrupt and to"
        " run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which ones, and why."""
        super().add_arguments(parser)
        parser.add_argument("--service", type=int, required=True, metavar="N")
        parser.add_argument("--client", metavar="ID", help="its client_id")
        parser.add_argument("--subject")
        parser.add_argument("--scope", metavar="NAME")
        parser.add_argument("--authorization-type", metavar="TYPE")
        parser.add_argument("--created-before", metavar="TIME", help="as 2026-01-31T12:00:00Z")
        parser.add_argument("--reason", default="other", help="for the events")
        parser.add_argument("--note", default="")
        parser.add_argument("--ticket", default="")
        parser.add_argument("--dry-run", action="store_true", help="count, and revoke nothing")
        parser.add_argument("--batch-size", type=int, default=500, metavar="N")

    def handle(self, **options: Any) -> None:
        """Count first; then revoke."""
        wanted = _filter(options)
        count = wanted.count()
        shown = str(count) if count <= COUNT_LIMIT else f"more than {COUNT_LIMIT}"
        if options["dry_run"]:
            sample = [grant.grant_id for grant, _ in zip(wanted.found(), range(10), strict=False)]
            value = {
                "count": min(count, COUNT_LIMIT),
                "more": count > COUNT_LIMIT,
                "sample": sample,
            }
            return self.answer(options, value, f"Would revoke {shown} grants.")
        why = Reason(options["reason"][:50], options["note"], options["ticket"][:255])
        size, total = max(1, options["batch_size"]), count if count <= COUNT_LIMIT else None
        revoked = 0
        with progress("Revoking", total) as advance:
            for number in revoke_found(wanted, timezone.now(), self.actor, why, batch_size=size):
                revoked += number
                advance(number)
        return self.answer(options, {"revoked": revoked}, f"Revoked {revoked} grants.")


def _filter(options: dict[str, Any]) -> GrantFilter:
    service = find_service(options["service"])
    client = options["client"]
    try:
        return GrantFilter(
            service=service,
            client=None if client is None else find_client(service, client),
            subject=options["subject"],
            scope=options["scope"],
            authorization_type=options["authorization_type"],
            created_before=_moment(options["created_before"]),
        )
    except EmptyFilter as error:
        raise CommandError(str(error)) from None


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise CommandError("--created-before takes a time such as 2026-01-31T12:00:00Z.") from None
