"""Sweeps: what a filter finds is revoked in batches, by whoever is there to do it."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from .client import Client
from .event import Actor, ActorKind, EventKind, GrantEvent, Reason
from .grant import Grant
from .grant_filter import GrantFilter
from .keys import uuid7
from .service import Service

LEASE: Final = timedelta(seconds=30)
"""Who has not revoked a batch for so long is taken for gone."""


class SweepStatus(models.TextChoices):
    """Computed from the stamps of a sweep."""

    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    STOPPED = "stopped", _("Stopped")
    DONE = "done", _("Done")


class SweepQuerySet(models.QuerySet["Sweep"]):
    """The sweeps that there were."""

    def start(
        self, wanted: GrantFilter, now: datetime, actor: Actor, why: Reason, **fields: Any
    ) -> "Sweep":
        """A sweep to work on. Where a cut-off does it, that is in force when this returns.

        IntegrityError: there is one with the `pk` that is among the `fields`.
        """
        fields |= {name: getattr(wanted, name) for name in ("service", "client", "created_before")}
        names = {name: getattr(wanted, name) or "" for name in _NAMES}
        with transaction.atomic():
            if wanted.is_cut_off:
                cut = wanted.client or wanted.service
                cut.move_cut_off(now, actor, why, before=wanted.created_before)
            return self.create(
                **fields,
                **names,
                actor_kind=actor.kind,
                actor=actor.name,
                reason=why.reason,
                note=why.note,
                ticket=why.ticket,
                started_at=now,
                expected=wanted.count(),
            )


class Sweep(models.Model):
    """A revoke by filter: what was asked for, by whom and why, and how far it came.

    It can be worked on by any process, one batch after the other; what one left, another takes
    up, since what is revoked is not found again.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    service = models.ForeignKey(
        Service, on_delete=models.PROTECT, db_index=False, verbose_name=_("service")
    )
    client = models.ForeignKey(
        Client,
        on_delete=models.PROTECT,
        db_index=False,
        null=True,
        blank=True,
        verbose_name=_("client"),
    )
    subject = models.CharField(_("subject"), max_length=255, blank=True, default="")
    scope = models.CharField(_("scope"), max_length=255, blank=True, default="")
    authorization_type = models.CharField(
        _("authorization type"), max_length=255, blank=True, default=""
    )
    created_before = models.DateTimeField(_("created before"), null=True, blank=True)
    actor_kind = models.CharField(_("actor's kind"), max_length=20, choices=ActorKind.choices)
    actor = models.CharField(_("actor"), max_length=255)
    reason = models.CharField(_("reason"), max_length=50, blank=True, default="")
    note = models.TextField(_("note"), blank=True, default="")
    ticket = models.CharField(_("ticket"), max_length=255, blank=True, default="")
    started_at = models.DateTimeField(_("started"))
    expected = models.PositiveIntegerField(_("expected"))
    revoked = models.PositiveIntegerField(_("revoked"), default=0)
    worked_at = models.DateTimeField(_("last batch"), null=True, blank=True)
    paused_at = models.DateTimeField(_("paused"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = SweepQuerySet.as_manager()

    class Meta:
        verbose_name = _("revoke by filter")
        verbose_name_plural = _("revokes by filter")
        permissions = [("start_sweep", "Can revoke by filter")]
        indexes = [models.Index(fields=["service", "-started_at"], name="gm_sweep_newest")]

    def __str__(self) -> str:
        return f"{self.actor}, {self.started_at:%Y-%m-%d %H:%M:%S} UTC"

    def status(self, now: datetime) -> SweepStatus:
        """Stopped: nobody works on it, though nobody paused it."""
        if self.finished_at is not None:
            return SweepStatus.DONE
        if self.paused_at is not None:
            return SweepStatus.PAUSED
        alive = self.worked_at is not None and self.worked_at > now - LEASE
        return SweepStatus.RUNNING if alive else SweepStatus.STOPPED

    def wanted(self) -> GrantFilter:
        """The filter that it was started with."""
        names = {name: getattr(self, name) or None for name in _NAMES}
        return GrantFilter(self.service, self.client, created_before=self.created_before, **names)

    @property
    def at(self) -> datetime:
        """The moment that the grants and the events carry: the cut-off's, or that of the start."""
        return self.created_before if self._is_cut_off and self.created_before else self.started_at

    def claim(self, now: datetime) -> bool:
        """Whether the caller is the one to work on it now."""
        free = Q(worked_at=None) | Q(worked_at__lte=now - LEASE)
        rows = Sweep.objects.filter(free, pk=self.pk, finished_at=None, paused_at=None)
        return rows.update(worked_at=now) == 1

    def work(self, batch_size: int, clock: Callable[[], datetime]) -> Iterator[int]:
        """The number of grants of each batch that it revokes, until none is left or it is paused.

        Grants that came after the start are left alone.
        """
        found = (one for one in self.wanted().found() if one.created_at <= self.started_at)
        while keys := [grant.pk for grant in islice(found, batch_size)]:
            with transaction.atomic():
                number = Grant.objects.revoke_all(self.service, keys, self.at, *self._signed())
                if not self._advance(number, clock()):
                    transaction.set_rollback(True)
                    return
            yield number
        self._rows().update(finished_at=clock())

    def pause(self, now: datetime) -> bool:
        """Whether this call did it. The batch in hand is the last."""
        return self._rows().update(paused_at=now) == 1

    def resume(self) -> bool:
        """Whether this call did it. Somebody has to work on it again."""
        rows = Sweep.objects.filter(pk=self.pk, finished_at=None)
        return rows.exclude(paused_at=None).update(paused_at=None, worked_at=None) == 1

    def events(self) -> "models.QuerySet[GrantEvent]":
        """Those of the grants that it revoked; and of others that were revoked at that moment."""
        rows = GrantEvent.objects.filter(service_id=self.service_id, at=self.at)
        return rows.filter(kind=EventKind.REVOKED, actor=self.actor).order_by("pk")

    @property
    def _is_cut_off(self) -> bool:
        return self.wanted().is_cut_off

    def _signed(self) -> tuple[Actor, Reason]:
        actor = Actor(ActorKind(self.actor_kind), self.actor)
        return actor, Reason(self.reason, self.note, self.ticket)

    def _rows(self) -> "models.QuerySet[Sweep]":
        return Sweep.objects.filter(pk=self.pk, finished_at=None, paused_at=None)

    def _advance(self, number: int, now: datetime) -> bool:
        return self._rows().update(revoked=F("revoked") + number, worked_at=now) == 1


_NAMES: Final = ("subject", "scope", "authorization_type")
