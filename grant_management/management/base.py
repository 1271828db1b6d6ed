"""What the commands share: `--json`, and how they find what an argument names."""

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from ..db import primary
from ..db.failures import described, settle, tell
from ..fields import members as m
from ..fields.field import Field
from ..models import Actor, Client, Organization, Service


class GrantManagementCommand(BaseCommand):
    """A command whose answer is one line of text, or one JSON value with `--json`."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Every command takes `--json`."""
        parser.add_argument("--json", action="store_true", help="answer with JSON")

    def execute(self, *args: Any, **options: Any) -> str | None:
        """An error of the database ends in one line that says what to do, without any value."""
        try:
            return super().execute(*args, **options)
        except Error as error:
            failure = settle(error)
            if failure.is_bug:
                tell(error, failure, "The command")
            raise CommandError(described(error, failure)) from None

    def answer(self, options: dict[str, Any], value: Any, text: str) -> None:
        """Say what was done."""
        self.stdout.write(json.dumps(value) if options["json"] else text)

    @property
    def actor(self) -> Actor:
        """Whom events name: the command."""
        return Actor.command(type(self).__module__.rpartition(".")[2])


class ClientCommand(GrantManagementCommand):
    """A command about one client of a service."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Which client."""
        super().add_arguments(parser)
        parser.add_argument("--service", type=int, required=True, metavar="N")
        parser.add_argument("--client", required=True, metavar="ID", help="its client_id")

    def stamp(self, client: Client) -> dict[str, Any]:
        """A client and its lock, for `answer`."""
        locked_at = client.locked_at
        return {
            "service": client.service_id,
            "client": client.client_id,
            "lockedAt": locked_at.isoformat() if locked_at else None,
        }


def taken(options: dict[str, Any], member: Field) -> Any:
    """An argument, as every other door takes it; None where it was not given.

    CommandError: it is not acceptable.
    """
    try:
        return member.or_null().take(options[member.name])
    except ValueError as error:
        raise CommandError(f"{member.name.replace('_', '-')!r} {error}.") from None


def find_organization(number: int) -> Organization:
    """The organization of a number. CommandError: there is none."""
    try:
        return Organization.objects.get(pk=number)
    except (Organization.DoesNotExist, OverflowError):
        raise CommandError(f"There is no organization {number}.") from None


def find_service(number: int) -> Service:
    """The service of a number. CommandError: there is none."""
    try:
        return Service.objects.select_related("organization").get(pk=number)
    except (Service.DoesNotExist, OverflowError):
        raise CommandError(f"There is no service {number}.") from None


def find_client(service: Service, client_id: str) -> Client:
    """The client of a service. CommandError: there is none."""
    sought = taken({"client": client_id}, m.CLIENT_ID.sought().named("client"))
    try:
        return Client.objects.get(service=service, client_id=sought)
    except Client.DoesNotExist:
        raise CommandError(f"Service {service.pk} has no client {client_id!r}.") from None


def save_new(instance: Organization | Service, actor: Actor) -> None:
    """Write a new row, and its event. CommandError: a value is not acceptable, or its number is
    taken.
    """
    try:
        # Django would look for the organization, which was found, once more: at a replica.
        instance.full_clean(exclude=["organization"])
    except ValidationError as error:
        raise CommandError("; ".join(error.messages)) from None
    with primary.atomic():
        instance.save(force_insert=True)
        instance.record_creation(actor)
