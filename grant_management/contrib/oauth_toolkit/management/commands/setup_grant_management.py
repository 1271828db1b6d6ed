"""`setup_grant_management [--base-url URL] [--name S]`."""

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError, CommandParser
from django.urls import NoReverseMatch, reverse

from grant_management.conf import app_settings
from grant_management.db import primary
from grant_management.fields import members as m
from grant_management.management.base import GrantManagementCommand, save_new, taken
from grant_management.models import Organization, Service

from ... import bridge

LOCAL = "http://127.0.0.1:8000"


class Command(GrantManagementCommand):
    """Makes the organization and the service that django-oauth-toolkit's tokens belong to.

    A second run makes nothing, and says the same.
    """

    help = "Make the service that the tokens of django-oauth-toolkit belong to, unless it exists."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the address of this server, and the name for both."""
        super().add_arguments(parser)
        parser.add_argument("--base-url", default=LOCAL, metavar="URL", help=f"default: {LOCAL}")
        parser.add_argument("--name", default="This server", help="of organization and service")

    def handle(self, **options: Any) -> None:
        """Make what is missing, and print the service and where its grants are."""
        base_url, name = _base_url(options), taken(options, m.NAME)
        service = self._known() or self._made(base_url, name)
        value = {"service": service.pk, "endpoint": service.grant_management_endpoint}
        where = f"{service.grant_management_endpoint}/{{grant_id}}"
        self.answer(options, value, f"Service {service.pk}. Its grants are at {where}")

    def _known(self) -> Service | None:
        number = app_settings.oauth_toolkit_service
        services = Service.objects.filter(deleted_at=None)
        services = services if number is None else services.filter(pk=number)
        if not services.exists():
            return None
        try:
            return bridge.service()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None

    def _made(self, base_url: str, name: str) -> Service:
        with primary.atomic():
            organization = Organization(name=name)
            save_new(organization, self.actor)
            service = Service(organization=organization, name=name)
            service.pk = app_settings.oauth_toolkit_service or service.pk
            service.grant_management_endpoint = f"{base_url}{_path(service)}"
            save_new(service, self.actor)
        return service


def _base_url(options: dict[str, Any]) -> str:
    """The base without a slash at its end. CommandError: it is no URL of a server."""
    value: str = options["base_url"].rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise CommandError("--base-url takes a URL such as https://as.example.com.")
    return value


def _path(service: Service) -> str:
    """Where the grants of the service are. CommandError: the project does not include the URLs."""
    try:
        path = reverse("grant_management:grant", args=[service.pk, "grant"])
    except NoReverseMatch:
        message = "First add path('', include('grant_management.urls')) to your URLs."
        raise CommandError(message) from None
    return path.removesuffix("/grant")
