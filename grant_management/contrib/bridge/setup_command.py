"""`setup_grant_management [--base-url URL] [--name S]`, which each bridge has."""

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError, CommandParser
from django.urls import NoReverseMatch, reverse

from grant_management.db import primary
from grant_management.fields import members as m
from grant_management.management.base import GrantManagementCommand, save_new, taken
from grant_management.models import Organization, Service

from .server import AuthorizationServer

LOCAL = "http://127.0.0.1:8000"


class SetUpCommand(GrantManagementCommand):
    """Makes the organization and the service that the tokens of `server` belong to.

    A second run makes nothing, and says the same. It does not move the service to another address.
    """

    server: AuthorizationServer

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the address of this server, and the name for both."""
        super().add_arguments(parser)
        add_base_url(parser)
        parser.add_argument("--name", default="This server", help="of organization and service")

    def handle(self, **options: Any) -> None:
        """Make what is missing, and print the service and where its grants are."""
        url, name = base_url(options), taken(options, m.NAME)
        service = self._known() or self._made(url, name)
        if options["base_url"] and not service.grant_management_endpoint.startswith(f"{url}/"):
            raise CommandError(
                f"Service {service.pk} has the endpoint {service.grant_management_endpoint}: change"
                " it in the admin, in the service's settings."
            )
        value = {"service": service.pk, "endpoint": service.grant_management_endpoint}
        where = f"{service.grant_management_endpoint}/{{grant_id}}"
        self.answer(options, value, f"Service {service.pk}. Its grants are at {where}")

    def _known(self) -> Service | None:
        number = self.server.service_number()
        services = Service.objects.filter(deleted_at=None)
        services = services if number is None else services.filter(pk=number)
        return service_of(self.server) if services.exists() else None

    def _made(self, url: str, name: str) -> Service:
        with primary.atomic():
            organization = Organization(name=name)
            save_new(organization, self.actor)
            service = Service(organization=organization, name=name)
            service.pk = self.server.service_number() or service.pk
            path = path_of_grant(service, "grant").removesuffix("/grant")
            service.grant_management_endpoint = f"{url}{path}"
            save_new(service, self.actor)
        return service


def add_base_url(parser: CommandParser) -> None:
    """Add the option that says where this server is."""
    parser.add_argument("--base-url", metavar="URL", help=f"default: {LOCAL}")


def base_url(options: dict[str, Any]) -> str:
    """The base without a slash at its end. CommandError: it is no URL of a server."""
    value: str = (options["base_url"] or LOCAL).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise CommandError("--base-url takes a URL such as https://as.example.com.")
    return value


def service_of(server: AuthorizationServer) -> Service:
    """The service of a bridge. CommandError: there is none; the message says what to do."""
    try:
        return server.service()
    except ImproperlyConfigured as error:
        raise CommandError(str(error)) from None


def path_of_grant(service: Service, grant_id: str) -> str:
    """The path of a grant. CommandError: the project does not include the app's URLs."""
    try:
        return reverse("grant_management:grant", args=[service.pk, grant_id])
    except NoReverseMatch:
        message = "First add path('', include('grant_management.urls')) to your URLs."
        raise CommandError(message) from None
