"""The cut-off: one write that ends all grants and tokens from before a moment."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ..db import clock, primary
from ..db.retry import retried
from .event import Actor, EventKind, GrantEvent, Reason, Told


class CutOff(models.Model):
    """A service or a client with a cut-off: its grants and tokens from before it are dead."""

    not_before = models.DateTimeField(_("not before"), null=True, blank=True)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True)

    class Meta:
        abstract = True

    def its_row(self) -> "models.QuerySet[Any]":
        """The query set of this row alone."""
        return type(self)._default_manager.filter(pk=self.pk)

    @retried
    def move_cut_off(
        self,
        actor: Actor,
        why: Reason,
        *,
        before: datetime | None = None,
        job: UUID | None = None,
        told: Told | None = None,
    ) -> bool:
        """Move the cut-off to `before`, or to now if that is None or later.

        Returns whether it was moved. It only moves forward, since moving it back would bring dead
        grants and tokens back to life. `job` is the ID of the sweep that it belongs to, and `told`
        are further details of the event.
        """
        with primary.atomic():
            now = self.hold()
            to = now if before is None else min(before, now)
            earlier = Q(not_before=None) | Q(not_before__lt=to)
            rows = self.its_row().filter(earlier)
            details = {"not_before": to.isoformat(), **(told or {})}
            kind = EventKind.CUT_OFF
            return self._write(
                rows, {"not_before": to}, kind, now, actor, why, details=details, job=job
            )

    @retried
    def hide(self, actor: Actor, why: Reason) -> bool:
        """Delete it as far as callers can tell; False: it was deleted already.

        Its rows stay for auditors: it is cut off, locked where it can be, and no door of the API
        finds it again. Nothing undoes this.
        """
        with primary.atomic():
            now = self.hold()
            self.refresh_from_db(fields=list(self.end_by(now)))
            rows = self.its_row().filter(deleted_at=None)
            stamp = self.end_by(now) | {"deleted_at": now}
            return self._write(rows, stamp, self.deleted_kind(), now, actor, why)

    def end_by(self, moment: datetime) -> dict[str, datetime | None]:
        """The columns that end it at that moment, with times that are never moved back."""
        return {"not_before": max(moment, self.not_before or moment)}

    @staticmethod
    def deleted_kind() -> EventKind:
        """The kind of the event of its deletion."""
        raise NotImplementedError

    def hold(self) -> datetime:
        """Lock the row: wait for transactions that issue tokens here, and block new ones until this
        transaction ends. Returns the time after that.

        So a token that is issued concurrently either has an earlier time than the cut-off, or its
        issuer has seen the cut-off.
        """
        list(self.its_row().select_for_update().values_list("pk", flat=True))
        return clock.now()

    def marked(self, name: str) -> str:
        """The name, as pages show it: with a mark where it was deleted."""
        return name if self.deleted_at is None else str(_("%s (deleted)") % name)

    def latest_cut_off(self, other: "CutOff") -> datetime | None:
        """The later of this cut-off and the other, the one that counts; None: neither is set."""
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
        """Stamp the row and add its event if `rows` still has it; whether it did."""
        with primary.atomic():
            written = rows.update(**stamp) == 1
            if written:
                fields = self.event_fields() | asdict(why) | more
                GrantEvent.objects.record(kind, at=now, actor=actor, **fields)
                self.copy()
        self.refresh_from_db(fields=list(stamp))
        return written

    def copy(self) -> None:
        """Write its copy in another database, where there is one."""

    def event_fields(self) -> dict[str, Any]:
        """The columns by which its events are found."""
        raise NotImplementedError
