"""The authorization server of a bridge: its service, and its clients and subjects here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from grant_management.fields import members as m
from grant_management.lifecycle import LifecycleError
from grant_management.models import AccessToken, Actor, Client, Grant, RefreshToken, Service
from grant_management.models.event import ActorKind
from grant_management.protocol.content import CONTROL
from grant_management.protocol.results import INVALID_REQUEST


class NotSetUp(ImproperlyConfigured):
    """There is no service for the server's tokens. The message says what to do about it."""


@dataclass(frozen=True, slots=True)
class AuthorizationServer:
    """An authorization server whose tokens are registered here.

    `name` is the actor of events that it causes. `service_number` returns the number of the service
    that its grants and tokens belong to; None: the only service. `setting` is where a host sets
    that number, and `command` creates such a service, for the error's text.
    """

    name: str
    service_number: Callable[[], int | None]
    setting: str
    command: str = "create_service"

    @property
    def actor(self) -> Actor:
        """The actor of events that the server caused by itself."""
        return Actor(ActorKind.SYSTEM, self.name)

    def service(self) -> Service:
        """The service that the server's tokens and grants belong to.

        NotSetUp: the setting names none, or is not set and there is not exactly one.
        """
        number = self.service_number()
        services = Service.objects.filter(deleted_at=None)
        services = services if number is None else services.filter(pk=number)
        found = list(services[:2])  # enough to see that there is more than one
        if len(found) == 1:
            return found[0]
        raise NotSetUp(self._advice(number, is_any=bool(found)))

    def _advice(self, number: int | None, *, is_any: bool) -> str:
        if number is not None:
            return (
                f"{self.setting} is {number}, and there is no such service:"
                f" `manage.py {self.command}` creates it. Or set the number of one that exists."
            )
        if is_any:
            return f"There are several services. Set {self.setting} to the number of yours."
        return (
            f"There is no service for the tokens of {self.name}: `manage.py {self.command}`"
            " creates one."
        )

    def service_if_any(self) -> Service | None:
        """As `service`; None before the first service is created, when nothing is registered."""
        return self.service() if Service.objects.filter(deleted_at=None).exists() else None

    def is_ours(self, service_id: int) -> bool:
        """Whether the server's tokens belong to the service of this number. Makes no query."""
        return self.service_number() in (None, service_id)

    def client(self, client_id: str, name: str) -> Client:
        """The client with this ID, created when it is first seen.

        LifecycleError `invalid_request`: the client ID cannot be stored.
        """
        ours = self.service()
        try:
            known = Client.objects.filter(service=ours, client_id=m.CLIENT_ID.read(client_id))
        except ValueError as error:
            raise LifecycleError(INVALID_REQUEST, f"The client ID {error}.") from None
        found = known.first()
        if found is not None:
            found.service = ours
            return found
        shown = CONTROL.sub(" ", name)[: m.CLIENT_NAME.longest]
        return Client.objects.put(ours, client_id, self.actor, name=shown)[0]

    def known_client(self, client_id: str) -> Client | None:
        """The client with this ID; None: it was never seen here."""
        return Client.objects.filter(service=self.service(), client_id=client_id).first()

    def known_clients(self, client_ids: Iterable[str]) -> list[int]:
        """The primary keys of the clients with these IDs that were seen here: 1 query."""
        known = Client.objects.filter(service=self.service(), client_id__in=set(client_ids))
        return list(known.values_list("pk", flat=True))

    def refresh_token(self, value: str) -> RefreshToken | None:
        """Our row of a refresh token, by its clear value; None: it is unknown here."""
        try:
            return RefreshToken.objects.presented(self.service(), value)
        except RefreshToken.DoesNotExist:
            return None

    def registered(
        self, model: type[AccessToken] | type[RefreshToken], digest: bytes
    ) -> AccessToken | RefreshToken | None:
        """Our row of a token, by its digest, with its client and grant; None: it is unknown here.

        Asks no receiver whether the server still accepts it.
        """
        found = model._default_manager.select_related("service", "client", "grant")
        return found.filter(service=self.service(), digest=digest).first()


def subject(user: Any) -> str | None:
    """The subject of a user, which is the user's primary key; None for a client's own tokens.

    LifecycleError `invalid_request`: the key is empty or too long.
    """
    if user is None:
        return None
    value = str(user.pk)
    if not 1 <= len(value) <= (Grant._meta.get_field("subject").max_length or 0):
        raise LifecycleError(INVALID_REQUEST, "The key of this user is too long for a subject.")
    return value
