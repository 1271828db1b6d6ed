"""Clients: the applications that hold grants."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import IntegrityError, models
from django.db.models import F
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from ..db import clock, primary
from ..db.ids import random_number
from ..db.retry import retried
from ..db.service_row import OfService
from ..protocol.numbers import MAX_NUMBER
from .cut_off import CutOff
from .event import NO_REASON, Actor, EventKind, GrantEvent, Reason, Told
from .service import Service


class ClientRefused(ValueError):
    """The client cannot be created or changed as asked."""


class IdentifierTaken(ClientRefused):
    """The identifier is that of a client that exists, where a new one was asked for, or that was
    deleted.
    """


class NumberRefused(ClientRefused):
    """The requested number belongs to another client, or this client has another number.

    The error does not tell which: all tenants share the numbers, and no tenant may learn which
    ones another tenant uses.
    """


class ClientManager(primary.PrimaryManager["Client"]):
    """The store of clients."""

    @retried
    def put(
        self,
        service: Service,
        client_id: str,
        actor: Actor,
        why: Reason = NO_REASON,
        *,
        number: int | None = None,
        name: str | None = None,
        locked: bool | None = None,
        must_be_new: bool = False,
    ) -> tuple["Client", bool]:
        """Create or change a client. Returns the client, and whether it was created.

        A property that is None stays as it is. A new client without a number gets a random one. One
        event records everything that changed; without a change there is none.

        Raises NumberRefused if it cannot have this number, and IdentifierTaken if it was deleted,
        or if it exists and `must_be_new`.
        """
        with primary.atomic():
            client, created = self._found_or_made(service, client_id, number, name or "")
            if client.deleted_at is not None or (must_be_new and not created):
                raise IdentifierTaken
            if number not in (None, client.pk):
                raise NumberRefused
            before = {} if created else client.shown()
            client.become(name, locked)
            client.record_change(before, actor, why)
        return client, created

    def _found_or_made(
        self, service: Service, client_id: str, number: int | None, name: str
    ) -> tuple["Client", bool]:
        """The client's row, locked, and False; or a new row and True."""
        client = self._held(service, client_id)
        if client is not None:
            return client, False
        made = Client(service=service, client_id=client_id, name=name)
        if number is not None:
            made.pk = number
        try:
            with primary.atomic():  # a savepoint: a failed insert would abort the transaction
                made.save(force_insert=True)
        except IntegrityError:  # it was created at this moment, or the number is taken
            client = self._held(service, client_id)
            if client is None:
                raise NumberRefused from None
            return client, False
        return made, True

    def _held(self, service: Service, client_id: str) -> "Client | None":
        # `no_key`: an insert that refers to the client does not wait for this lock.
        rows = self.select_for_update(no_key=True).filter(service=service, client_id=client_id)
        client = rows.first()
        if client is not None:
            client.service = service
        return client


class Client(OfService, CutOff):
    """An OAuth client of a service. `id` is its number, unique across all services."""

    id = models.BigIntegerField(
        _("ID"),
        primary_key=True,
        default=random_number,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_NUMBER)],
    )
    service = models.ForeignKey(
        Service, on_delete=models.PROTECT, db_index=False, verbose_name=_("service")
    )
    client_id = models.CharField(_("client ID"), max_length=255)
    name = models.CharField(_("name"), max_length=255, blank=True, default="")
    locked_at = models.DateTimeField(_("locked"), null=True, blank=True)

    objects = ClientManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("client")
        verbose_name_plural = _("clients")
        permissions = [
            ("lock_client", "Can lock and unlock client"),
            ("cut_off_client", "Can cut off client"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["service", "client_id"], name="gm_client_unique")
        ]
        indexes = [
            models.Index(fields=["service", "name", "id"], name="gm_client_sorted"),
            # Operators search for a name in any case.
            models.Index(F("service"), Lower("name"), name="gm_client_name"),
        ]

    def __str__(self) -> str:
        return self.marked(self.name or self.client_id)

    def lock(self, actor: Actor, why: Reason, *, told: Told | None = None) -> bool:
        """Stop every token of this client. Returns False if it was locked already.

        `told` are the details of the event.
        """
        now = clock.now()
        rows = self.its_row().filter(locked_at=None)
        kind, details = EventKind.CLIENT_LOCKED, dict(told or {})
        return self._write(rows, {"locked_at": now}, kind, now, actor, why, details=details)

    def unlock(self, actor: Actor, why: Reason) -> bool:
        """Let its tokens work again. Returns False if it was not locked, or is deleted."""
        now = clock.now()
        rows = self.its_row().filter(deleted_at=None).exclude(locked_at=None)
        return self._write(rows, {"locked_at": None}, EventKind.CLIENT_UNLOCKED, now, actor, why)

    def end_by(self, moment: datetime) -> dict[str, datetime | None]:
        """The columns that end it at that moment: its cut-off, and its lock, which may be older."""
        return {**super().end_by(moment), "locked_at": self.locked_at or moment}

    @staticmethod
    def deleted_kind() -> EventKind:
        """The kind of the event of its deletion."""
        return EventKind.CLIENT_DELETED

    def shown(self) -> dict[str, Any]:
        """The properties that the API can change, as events record them."""
        return {"name": self.name, "locked": self.locked_at is not None}

    def become(self, name: str | None, locked: bool | None) -> None:
        """Write the values that differ; None leaves one as it is. The caller has locked the row."""
        changed: dict[str, Any] = {}
        if name is not None and name != self.name:
            changed["name"] = name
        if locked is not None and locked != (self.locked_at is not None):
            changed["locked_at"] = clock.now() if locked else None
        if changed:
            self.its_row().update(**changed)
        for field, value in changed.items():
            setattr(self, field, value)

    def record_change(self, before: dict[str, Any], actor: Actor, why: Reason) -> None:
        """Add one event for everything that changed since `before`; {}: the client is new.

        Its kind is that of the most important change: creation, then the lock, then the name.
        """
        after = self.shown()
        if after == before:
            return
        kind = EventKind.CLIENT_CHANGED
        if not before:
            kind = EventKind.CLIENT_CREATED
        elif after["locked"] != before["locked"]:
            locked = after["locked"]
            kind = EventKind.CLIENT_LOCKED if locked else EventKind.CLIENT_UNLOCKED
        names = [name for name in after if after[name] != before.get(name)]
        details = {
            "number": self.pk,
            "before": {name: before[name] for name in names if name in before},
            "after": {name: after[name] for name in names},
        }
        fields = self.event_fields() | asdict(why)
        GrantEvent.objects.record(kind, at=clock.now(), actor=actor, details=details, **fields)

    def event_fields(self) -> dict[str, Any]:
        """The columns by which its events are found: its service and its client ID."""
        return {"service_id": self.service_id, "client_id": self.client_id}
