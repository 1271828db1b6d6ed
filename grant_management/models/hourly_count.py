"""Counters of events by hour and client, for charts of the last day."""

from datetime import timedelta
from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..db import primary
from ..db.periods import hour_of
from ..db.service_row import OfService
from .service import Service

KEPT: Final = timedelta(hours=48)
"""How long the counters of an hour are kept."""
HOUR: Final = hour_of("at")


class HourlyCount(OfService):
    """How many events of a kind a client had in an hour (UTC)."""

    service = models.ForeignKey(
        Service, on_delete=models.CASCADE, db_index=False, verbose_name=_("service")
    )
    hour = models.DateTimeField(_("hour"))
    client_id = models.CharField(_("client ID"), max_length=255, blank=True, default="")
    kind = models.CharField(_("what"), max_length=20)
    number = models.PositiveBigIntegerField(_("number"))

    objects = primary.PrimaryManager["HourlyCount"]()

    class Meta:
        base_manager_name = "objects"
        default_permissions = ()
        verbose_name = _("hourly count")
        verbose_name_plural = _("hourly counts")
        constraints = [
            models.UniqueConstraint(
                fields=["service", "kind", "hour", "client_id"], name="gm_hourly_count_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.hour} {self.client_id} {self.kind}: {self.number}"
