"""What an operator chose for the pages of the admin."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from ..db.primary import PrimaryManager


class OperatorPreferenceManager(PrimaryManager["OperatorPreference"]):
    """The store of preferences."""

    def time_zone_of(self, user: Any) -> str:
        """The name of the zone that the user chose; "": none was chosen. 1 query."""
        found = self.filter(user_id=user.pk).values_list("time_zone", flat=True).first()
        return found or ""

    def choose_time_zone(self, user: Any, name: str) -> None:
        """Remember the zone of this name for this user."""
        self.update_or_create(user_id=user.pk, defaults={"time_zone": name})


class OperatorPreference(models.Model):
    """One operator's choices. They change how pages look, never what they do.

    The host's users may be in another database, so no constraint connects them: a signal deletes
    the row of a user who is deleted.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        verbose_name=_("user"),
        related_name="+",
    )
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, default="")

    objects = OperatorPreferenceManager()

    class Meta:
        base_manager_name = "objects"
        default_permissions = ()
        verbose_name = _("operator's preference")
        verbose_name_plural = _("operators' preferences")

    def __str__(self) -> str:
        return str(self.user_id)
