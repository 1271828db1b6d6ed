"""The last purge, and which process may purge now."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ..db import clock, primary
from ..db.clock import CLOCK_TOLERANCE

LEASE: Final = timedelta(minutes=1)
"""A process that has not renewed its claim for this long is taken to have stopped."""
THOROUGH_EVERY: Final = timedelta(days=1)
"""How often a purge that runs by itself also does what reads whole tables."""


class PurgeRunQuerySet(primary.PrimaryQuerySet["PurgeRun"]):
    """The table of one row."""

    def latest_run(self) -> "PurgeRun":
        """The row; where there is none yet, one that says that no purge ended."""
        return self.first() or PurgeRun()

    def claim(self, holder: UUID, every: timedelta) -> bool:
        """Claim the purge for `LEASE` if the last one ended `every` ago; whether `holder` may run.

        A stamp from a clock that was ahead counts as none.
        """
        now = clock.now()
        ahead = now + CLOCK_TOLERANCE
        free = Q(held_until=None) | Q(held_until__lte=now) | Q(held_until__gt=ahead + LEASE)
        due = Q(finished_at=None) | Q(finished_at__lte=now - every) | Q(finished_at__gt=ahead)
        if not self.exists():
            self._add_row()
        return self.filter(free, due).update(holder=holder, held_until=now + LEASE) == 1

    def renew(self, holder: UUID) -> bool:
        """Claim it for another `LEASE`; False: another process has claimed it, so stop."""
        rows = self.filter(holder=holder)
        return rows.update(held_until=clock.now() + LEASE) == 1

    def record(self, started_at: datetime, deleted: int, *, thorough: bool) -> None:
        """Note that a purge came to its end; `deleted` is the number of rows that it deleted."""
        now = clock.now()
        stamps = {"started_at": started_at, "finished_at": now}
        if thorough:
            stamps["thorough_at"] = now
        if not self.exists():
            self._add_row()
        self.update(deleted=deleted, holder=None, held_until=None, **stamps)

    def _add_row(self) -> None:
        """Insert the row; another process may insert it at the same moment."""
        self.bulk_create([PurgeRun()], ignore_conflicts=True)


class PurgeRun(models.Model):
    """The last purge that came to its end, and the claim of the process that purges now: one row.

    `thorough_at` is the end of the last purge that also read whole tables.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    thorough_at = models.DateTimeField(null=True)
    deleted = models.PositiveBigIntegerField(_("deleted rows"), default=0)
    holder = models.UUIDField(null=True)
    held_until = models.DateTimeField(null=True)

    objects = PurgeRunQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"

    def __str__(self) -> str:
        return str(self.finished_at)

    @property
    def took(self) -> timedelta:
        """How long the last purge took; 0 where none came to its end."""
        if self.started_at is None or self.finished_at is None:
            return timedelta()
        return self.finished_at - self.started_at

    def is_thorough_due(self, now: datetime) -> bool:
        """Whether the next purge should read whole tables too."""
        return self.thorough_at is None or not (
            now - THOROUGH_EVERY < self.thorough_at <= now + CLOCK_TOLERANCE
        )
