"""What an operator chose for the pages of the admin."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from ..db.primary import PrimaryManager


class OperatorPreferenceManager(PrimaryManager["OperatorPreference"]):
    """The store of preferences."""

    def chosen_by(self, user: Any) -> tuple[str, str]:
        """The name of the zone and the code of the language that the user chose; "" for what was
        not chosen. 1 query.
        """
        found = self.filter(user_id=user.pk).values_list("time_zone", "language").first()
        return found or ("", "")

    def choose(self, user: Any, **choices: str) -> None:
        """Remember the `time_zone` or the `language`, or both, for this user."""
        self.update_or_create(user_id=user.pk, defaults=choices)


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
    # With a default of the database: until all servers are upgraded, some do not know it.
    language = models.CharField(_("language"), max_length=35, blank=True, default="", db_default="")

    objects = OperatorPreferenceManager()

    class Meta:
        base_manager_name = "objects"
        default_permissions = ()
        verbose_name = _("operator's preference")
        verbose_name_plural = _("operators' preferences")

    def __str__(self) -> str:
        return str(self.user_id)
