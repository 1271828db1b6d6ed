"""When something was used last: kept where a service asks for it, and decides nothing."""

from datetime import datetime, timedelta
from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

PRECISION: Final = timedelta(minutes=1)
"""A row is written at most so often."""


class LastUsed(models.Model):
    """A row that knows when it was used last, to the minute."""

    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)

    class Meta:
        abstract = True

    def mark_used(self, now: datetime) -> None:
        """1 query, or none where it was used a moment ago."""
        if self.last_used_at is None or self.last_used_at <= now - PRECISION:
            type(self)._default_manager.filter(pk=self.pk).update(last_used_at=now)
            self.last_used_at = now
