"""What is known of the receiver of events: whether it answers, and when it is tried again."""

from datetime import datetime, timedelta
from typing import Any, Final, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

LONGEST_PAUSE: Final = 60
"""Seconds that nothing is sent to a receiver that does not answer, at most."""
PROBE: Final = timedelta(minutes=2)
"""A receiver that did not answer last time gets nothing else while it is tried again."""
AT_MOST: Final = 100
"""Webhooks of a service; and streams of a receiver there: each event makes a row for each."""


class TooManyReceivers(Exception):
    """There are `AT_MOST` already."""


def check_room(rows: models.QuerySet[Any]) -> None:
    """TooManyReceivers: there are too many of these rows; whoever adds one holds the service."""
    if rows.count() >= AT_MOST:
        raise TooManyReceivers


class Receiver(models.Model):
    """A receiver of events. After `failures` in a row nothing is sent before `paused_until`."""

    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    paused_until = models.DateTimeField(_("paused until"), null=True, blank=True)

    class Meta:
        abstract = True

    def note_answer(self, paused_until: datetime | None = None) -> None:
        """The receiver answers: send it what is due, or what is due then, since it is slow."""
        if self.failures or paused_until is not None:
            self._row().update(failures=0, paused_until=paused_until)

    def note_failure(self, now: datetime) -> None:
        """The receiver does not answer: from the second time on pause, so that no other waits."""
        seconds = min(2 ** min(self.failures, 10), LONGEST_PAUSE) if self.failures else 0
        pause = timedelta(seconds=seconds)
        self._row().update(failures=F("failures") + 1, paused_until=now + pause)

    def claim_probe(self, now: datetime) -> bool:
        """Whether a claimed delivery may be sent: while the receiver fails, one at a time may."""
        if not self.failures:
            return True
        rows = self._row().filter(Q(paused_until=None) | Q(paused_until__lte=now))
        return rows.update(paused_until=now + PROBE) == 1

    def _row(self) -> models.QuerySet[Self]:
        return type(self)._default_manager.filter(pk=self.pk)
