"""`revoke_grants --service N [--client ID] [--subject S] [--scope NAME] …`, or `--resume ID`."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser

from ...db import apart, clock
from ...db.counting import COUNT_LIMIT, shown_number
from ...db.of_service import at_services
from ...fields import members as m
from ...models import Actor, GrantFilter, Reason, Service, Sweep
from ...models.event import Told
from ...models.stops import stops_of_cut_off
from ..base import GrantManagementCommand, find_client, find_service, taken
from ..progress import progress


class Command(GrantManagementCommand):
    """Revokes many grants."""

    help = (
        "Revoke the live grants that a filter finds. A service, or one client of it, and a moment"
        " take effect with one write; the grants are stamped behind it. Safe to interrupt and to"
        " run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the filter or the sweep to resume, and what the events say."""
        super().add_arguments(parser)
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--service", type=int, metavar="N", help="start a job there")
        which.add_argument("--resume", type=UUID, metavar="ID", help="continue an unfinished job")
        parser.add_argument("--client", metavar="ID", help="its client_id")
        parser.add_argument("--subject", metavar="SUBJECT", help="whose grants")
        parser.add_argument("--scope", metavar="NAME", help="a scope that they hold")
        parser.add_argument(
            "--authorization-type", metavar="TYPE", help="the type of a detail that they hold"
        )
        parser.add_argument("--created-before", metavar="TIME", help="as 2026-01-31T12:00:00Z")
        parser.add_argument("--reason", default="other", metavar="WORD", help="for the events")
        parser.add_argument("--note", default="", metavar="TEXT", help="for the events")
        parser.add_argument("--ticket", default="", metavar="NUMBER", help="for the events")
        parser.add_argument("--dry-run", action="store_true", help="count, and revoke nothing")
        parser.add_argument(
            "--batch-size", type=int, default=500, metavar="N", help="grants in a transaction"
        )

    def handle(self, **options: Any) -> None:
        """Revoke the grants that match, or only count them with `--dry-run`."""
        if options["resume"]:
            with apart.database(_database_of(options["resume"])):
                return self._work(_resumed(options["resume"], self.actor), options)
        wanted = _filter(options)
        if options["dry_run"]:
            return self._count(wanted, options)
        why = Reason(*(taken(options, member) for member in (m.REASON, m.NOTE, m.TICKET)))
        sweep = Sweep.objects.start(wanted, self.actor, why, told=_told(wanted))
        sweep.claim()
        return self._work(sweep, options)

    def _count(self, wanted: GrantFilter, options: dict[str, Any]) -> None:
        count = wanted.count()
        value = {
            "count": min(count, COUNT_LIMIT),
            "more": count > COUNT_LIMIT,
            "sample": [grant.grant_id for grant in wanted.sample(10)],
        }
        self.answer(options, value, f"Would revoke {shown_number(count)} grants.")

    def _work(self, sweep: Sweep, options: dict[str, Any]) -> None:
        """Revoke in batches. An interrupt leaves the sweep for `--resume`, or for the admin."""
        total = sweep.expected if sweep.expected <= COUNT_LIMIT else None
        revoked = 0
        try:
            with progress("Revoking", total) as advance:
                for number in sweep.work(taken(options, m.BATCH_SIZE)):
                    revoked += number
                    advance(number)
        except KeyboardInterrupt:
            self.stderr.write(f"To go on: revoke_grants --resume {sweep.pk}")
            raise
        value = {"revoked": revoked, "sweep": str(sweep.pk)}
        self.answer(options, value, f"Revoked {revoked} grants.")


def _told(wanted: GrantFilter) -> Told:
    """The numbers that a cut-off stops, for its event; {}: it is none."""
    return stops_of_cut_off(wanted).as_json() if wanted.is_cut_off else {}


def _database_of(number: UUID) -> str:
    """The database that has the sweep; the first one, where none does."""
    for alias in apart.databases():
        with apart.database(alias):
            if apart.is_on() and Sweep.objects.filter(pk=number).exists():
                return alias
    return apart.first()


def _resumed(number: UUID, actor: Actor) -> Sweep:
    """The sweep, claimed by this process. CommandError: it is done, or another process has it."""
    rows = Sweep.objects.filter(at_services(Service.objects.values("pk")), pk=number)
    sweep = rows.select_related("service", "client").first()
    if sweep is None:
        raise CommandError(f"There is no revoke by filter {number}.")
    sweep.resume(actor)
    if not sweep.claim():
        raise CommandError("It is done, or somebody works on it: try again in half a minute.")
    return sweep


def _filter(options: dict[str, Any]) -> GrantFilter:
    service = find_service(options["service"])
    client = options["client"]
    try:
        return GrantFilter(
            service=service,
            client=None if client is None else find_client(service, client),
            subject=taken(options, m.SUBJECT.sought()),
            scope=taken(options, m.SCOPE),
            authorization_type=taken(options, m.AUTHORIZATION_TYPE.sought()),
            created_before=_parse_time(options["created_before"]),
        )
    except ValueError as error:
        raise CommandError(str(error)) from None


def _parse_time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
        m.CREATED_BEFORE.judge(moment, clock.now())
    except (ValueError, OverflowError):
        raise CommandError(
            "--created-before takes a time that has passed, such as 2026-01-31T12:00:00Z."
        ) from None
    return moment
