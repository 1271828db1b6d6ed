"""Clients: the applications that were granted something."""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from ..db import clock
from ..db.primary import PrimaryManager
from ..fields.members import MAX_NUMBER
from .cut_off import CutOff
from .event import Actor, EventKind, Reason
from .keys import random_number
from .service import Service


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

    objects = PrimaryManager["Client"]()

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

    def _rows(self) -> "models.QuerySet[Client]":
        return Client.objects.filter(service_id=self.service_id, pk=self.pk)

    def event_fields(self) -> dict[str, Any]:
        """Its service and itself."""
        return {"service_id": self.service_id, "client_id": self.client_id}
