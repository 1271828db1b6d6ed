"""What the commands share: `--json`, reading arguments, and finding the rows that they name."""

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from ..db import apart, primary
from ..db.failures import described, settle, tell
from ..fields import members as m
from ..fields.field import Field
from ..models import Actor, Client, Organization, Service
from ..redaction import redacted


class GrantManagementCommand(BaseCommand):
    """A command whose answer is one line of text, or one JSON value with `--json`."""

    def create_parser(self, prog_name: str, subcommand: str, **options: Any) -> CommandParser:
        """Django's parser, whose errors also say how to give a value that begins with `-`."""
        parser = super().create_parser(prog_name, subcommand, **options)
        parser.error = partial(_refuse, parser.error)  # type: ignore[method-assign]
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        """Add `--json`, which every command takes."""
        parser.add_argument("--json", action="store_true", help="answer with JSON")

    @redacted
    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run the command. An error of the database becomes a CommandError of one line.

        The line says what to do, and quotes no value.
        """
        number = options.get("service")
        try:
            with apart.first_alone() if number is None else apart.service(number):
                return super().execute(*args, **options)
        except Error as error:
            failure = settle(error)
            if failure.is_bug:
                tell(error, failure, "The command")
            raise CommandError(described(error, failure)) from None

    def answer(self, options: dict[str, Any], value: Any, text: str) -> None:
        """Print what was done: `value` as JSON with `--json`, else `text`."""
        self.stdout.write(json.dumps(value) if options["json"] else text)

    def in_each_database(self, work: Callable[[], Any]) -> None:
        """Do the work in view of the services, one database after the other where some live apart.

        CommandError: a database failed. The others had their turn.
        """
        failed = []
        for alias in apart.databases():
            try:
                with apart.database(alias):
                    work()
            except Error as error:
                if not apart.is_on():
                    raise
                tell(error, settle(error, alias), f"The work in the database {alias}")
                failed.append(alias)
        if failed:
            raise CommandError(f"It was not done in these databases: {', '.join(failed)}.")

    @property
    def actor(self) -> Actor:
        """The actor of the events that this command causes."""
        return Actor.command(type(self).__module__.rpartition(".")[2])


def _refuse(refuse: Callable[[str], NoReturn], message: str) -> NoReturn:
    """Refuse the arguments. argparse takes a value that begins with `-` for another option."""
    if option := re.match(r"argument (?:-\w/)?(--[\w-]+): expected one argument", message):
        message += f"; a value that begins with - is given as {option[1]}=VALUE"
    refuse(message)


class ClientCommand(GrantManagementCommand):
    """A command about one client of a service."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the service and the client."""
        super().add_arguments(parser)
        parser.add_argument("--service", type=int, required=True, metavar="N", help="its number")
        parser.add_argument("--client", required=True, metavar="ID", help="its client_id")

    def stamp(self, client: Client) -> dict[str, Any]:
        """The client and the time of its lock, as a value for `answer`."""
        locked_at = client.locked_at
        return {
            "service": client.service_id,
            "client": client.client_id,
            "lockedAt": locked_at.isoformat() if locked_at else None,
        }


def taken(options: dict[str, Any], member: Field) -> Any:
    """The value of an argument, by the rules of the member; None where it was not given.

    CommandError: the rules refuse it.
    """
    try:
        return member.or_null().take(options[member.name])
    except ValueError as error:
        raise CommandError(f"{member.name.replace('_', '-')!r} {error}.") from None


def find_organization(number: int) -> Organization:
    """The organization with this number. CommandError: there is none."""
    try:
        return Organization.objects.get(pk=number)
    except (Organization.DoesNotExist, OverflowError):
        raise CommandError(f"There is no organization {number}.") from None


def find_service(number: int, *, also_deleted: bool = False) -> Service:
    """The service with this number. CommandError: there is none, or it was deleted."""
    try:
        service = Service.objects.select_related("organization").get(pk=number)
    except (Service.DoesNotExist, OverflowError):
        raise CommandError(f"There is no service {number}.") from None
    if service.deleted_at is not None and not also_deleted:
        raise CommandError(f"Service {number} was deleted.")
    return service


def find_client(service: Service, client_id: str) -> Client:
    """The client with this client_id. CommandError: there is none, or it was deleted."""
    sought = taken({"client": client_id}, m.CLIENT_ID.sought().named("client"))
    try:
        return Client.objects.get(service=service, client_id=sought, deleted_at=None)
    except Client.DoesNotExist:
        raise CommandError(f"Service {service.pk} has no client {client_id!r}.") from None


def save_new(instance: Organization | Service, actor: Actor) -> None:
    """Insert a new row and its event. CommandError: a value is refused, or the number is taken."""
    try:
        # The organization was found already. Django would look it up again, perhaps at a replica.
        instance.full_clean(exclude=["organization"])
    except ValidationError as error:
        raise CommandError("; ".join(error.messages)) from None
    with apart.of(instance), primary.atomic():
        instance.save(force_insert=True)
        instance.record_creation(actor)
