"""The time of last use: kept if a service has `track_last_used`; no decision depends on it."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import models
from django.utils.translation import gettext_lazy as _

PRECISION: Final = timedelta(minutes=1)
"""A row is written at most once in this time."""


class LastUsed(models.Model):
    """A row with the time of its last use, to the minute."""

    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)

    class Meta:
        abstract = True

    def its_row(self) -> "models.QuerySet[Any]":
        """The query set of this row alone."""
        return type(self)._default_manager.filter(pk=self.pk)

    def mark_used(self, now: datetime) -> None:
        """Store the time of last use: 1 query, or none if it was used within `PRECISION` before."""
        if self.last_used_at is None or self.last_used_at <= now - PRECISION:
            self.its_row().update(last_used_at=now)
            self.last_used_at = now
