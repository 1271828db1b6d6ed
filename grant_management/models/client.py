"""Clients: the applications that were granted something."""

from dataclasses import asdict
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import IntegrityError, models
from django.utils.translation import gettext_lazy as _

from ..db import clock, primary
from ..db.ids import random_number
from ..db.retry import retried
from ..protocol.numbers import MAX_NUMBER
from .cut_off import CutOff
from .event import NO_REASON, Actor, EventKind, GrantEvent, Reason
from .service import Service


class NumberRefused(ValueError):
    """The number that a client should have is another client's, or the client has another one.

    Which of both is not said: numbers are one space for all tenants, and none of them learns what
    another one has.
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
    ) -> tuple["Client", bool]:
        """The client, made or changed to what is given, and whether it was made. One event tells of
        all that changed; where nothing did there is none.

        NumberRefused: it cannot have this number.
        """
        with primary.atomic():
            client, created = self._found_or_made(service, client_id, number, name or "")
            if number not in (None, client.pk):
                raise NumberRefused
            before = {} if created else client.shown()
            client.become(name, locked)
            client.record_change(before, actor, why)
        return client, created

    def _found_or_made(
        self, service: Service, client_id: str, number: int | None, name: str
    ) -> tuple["Client", bool]:
        """The row, held against change, or a new one."""
        client = self._held(service, client_id)
        if client is not None:
            return client, False
        made = Client(service=service, client_id=client_id, name=name)
        if number is not None:
            made.pk = number
        try:
            with primary.atomic():
                made.save(force_insert=True)
        except IntegrityError:  # somebody else was faster; or the number is taken
            client = self._held(service, client_id)
            if client is None:
                raise NumberRefused from None
            return client, False
        return made, True

    def _held(self, service: Service, client_id: str) -> "Client | None":
        rows = self.select_for_update(no_key=True).filter(service=service, client_id=client_id)
        client = rows.first()
        if client is not None:
            client.service = service
        return client


class Client(CutOff, models.Model):
    """An OAuth client of a service. `id` is its number, unique over all services."""

    id = models.BigIntegerField(
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

    def __str__(self) -> str:
        return self.name or self.client_id

    def lock(self, actor: Actor, why: Reason) -> bool:
        """Stop every token of this client. False where it was locked already."""
        now = clock.now()
        rows = self._rows().filter(locked_at=None)
        return self._write(rows, {"locked_at": now}, EventKind.CLIENT_LOCKED, now, actor, why)

    def unlock(self, actor: Actor, why: Reason) -> bool:
        """Let its tokens work again. False where it was not locked."""
        now = clock.now()
        rows = self._rows().exclude(locked_at=None)
        return self._write(rows, {"locked_at": None}, EventKind.CLIENT_UNLOCKED, now, actor, why)

    def shown(self) -> dict[str, Any]:
        """What a caller of the API can change of it, as its events tell it."""
        return {"name": self.name, "locked": self.locked_at is not None}

    def become(self, name: str | None, locked: bool | None) -> None:
        """Write what is given and differs. The caller holds the row."""
        changed: dict[str, Any] = {}
        if name is not None and name != self.name:
            changed["name"] = name
        if locked is not None and locked != (self.locked_at is not None):
            changed["locked_at"] = clock.now() if locked else None
        if changed:
            self._rows().update(**changed)
        for field, value in changed.items():
            setattr(self, field, value)

    def record_change(self, before: dict[str, Any], actor: Actor, why: Reason) -> None:
        """Add the one event of a change since `before`, where there is any; {}: it is new.

        Its kind is that of what weighs most: that it is new, its lock, its name.
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

    def _rows(self) -> "models.QuerySet[Client]":
        return Client.objects.filter(service_id=self.service_id, pk=self.pk)

    def event_fields(self) -> dict[str, Any]:
        """Its service and itself."""
        return {"service_id": self.service_id, "client_id": self.client_id}
