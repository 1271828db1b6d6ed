"""The cut-off: one write that stops all that came before a moment."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ..db import clock, primary
from ..db.retry import retried
from .event import Actor, EventKind, GrantEvent, Reason


class CutOff(models.Model):
    """A service or client with a moment before which its grants and tokens are dead."""

    not_before = models.DateTimeField(_("not before"), null=True, blank=True)

    class Meta:
        abstract = True

    @retried
    def move_cut_off(
        self, actor: Actor, why: Reason, *, before: datetime | None = None, job: UUID | None = None
    ) -> bool:
        """Whether this call moved it, to now or to `before`, and never past now.

        Only forward: clearing it would bring the dead back. `job` is the sweep that it begins.
        """
        with primary.atomic():
            now = self.hold()
            to = now if before is None else min(before, now)
            earlier = Q(not_before=None) | Q(not_before__lt=to)
            rows = type(self)._default_manager.filter(earlier, pk=self.pk)
            details = {"not_before": to.isoformat()}
            kind = EventKind.CUT_OFF
            return self._write(
                rows, {"not_before": to}, kind, now, actor, why, details=details, job=job
            )

    def hold(self) -> datetime:
        """Wait for whoever issues tokens here, and let nobody do so until the transaction ends; the
        time of then. So what is issued beside a cut-off is stamped before it, or has seen it.
        """
        rows = type(self)._default_manager.filter(pk=self.pk)
        list(rows.select_for_update().values_list("pk", flat=True))
        return clock.now()

    def latest_cut_off(self, other: "CutOff") -> datetime | None:
        """The later of this cut-off and the other one; the latest that matches counts."""
        one, two = self.not_before, other.not_before
        return max(one, two) if one and two else one or two

    def _write(
        self,
        rows: "models.QuerySet[Any]",
        stamp: dict[str, datetime | None],
        kind: EventKind,
        now: datetime,
        actor: Actor,
        why: Reason,
        **more: Any,
    ) -> bool:
        """Whether the row was still as `rows` has it: then it has the stamp, and its event."""
        with primary.atomic():
            written = rows.update(**stamp) == 1
            if written:
                fields = self.event_fields() | asdict(why) | more
                GrantEvent.objects.record(kind, at=now, actor=actor, **fields)
        self.refresh_from_db(fields=list(stamp))
        return written

    def event_fields(self) -> dict[str, Any]:
        """What an event about it has in its own columns."""
        raise NotImplementedError
