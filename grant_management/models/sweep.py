"""Sweeps: jobs that revoke the grants of a filter in batches, by any process."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from ..db import clock, primary
from ..db.ids import uuid7
from ..db.of_service import ForeignKeyWithinService
from ..db.service_row import OfService
from .client import Client
from .event import NO_REASON, Actor, ActorKind, EventKind, GrantEvent, Reason, Told
from .grant import Grant
from .grant_filter import GrantFilter
from .service import Service

LEASE: Final = timedelta(seconds=30)
"""A process that has not finished a batch for this long is taken to have stopped."""


class SweepStatus(models.TextChoices):
    """Computed from the stamps of a sweep."""

    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    STOPPED = "stopped", _("Stopped")
    DONE = "done", _("Done")


class SweepQuerySet(primary.PrimaryQuerySet["Sweep"]):
    """The store of sweeps."""

    def start(
        self,
        wanted: GrantFilter,
        actor: Actor,
        why: Reason,
        *,
        told: Told | None = None,
        **fields: Any,
    ) -> "Sweep":
        """Create a sweep, which a process has to claim. A cut-off is in force when this returns.

        `told` are further details of the event of a cut-off. `fields` may have `expected`, the
        number of grants, if the caller has counted them, and a `pk`. IntegrityError: a sweep with
        this `pk` exists.
        """
        if "expected" not in fields:
            fields["expected"] = wanted.count()
        fields |= {name: getattr(wanted, name) for name in ("service", "client", "created_before")}
        names = {name: getattr(wanted, name) or "" for name in _NAMES}
        target = wanted.client or wanted.service
        with primary.atomic():
            if wanted.is_cut_off:
                # Before the insert, whose foreign keys put a weaker lock on the same row: two
                # transactions that both had the weak lock could not both get this one.
                target.hold()
            sweep = self.create(
                **fields,
                **names,
                **_signed(actor),
                **asdict(why),
                started_at=clock.now(),
            )
            moved = wanted.is_cut_off and target.move_cut_off(
                actor, why, before=wanted.created_before, job=sweep.pk, told=told
            )
            if not moved:  # else the event of the cut-off tells of the job
                sweep.record(EventKind.JOB_STARTED, actor, why, **sweep.asked())
        return sweep


class Sweep(OfService):
    """A revoke by filter: the filter, who started it and why, and how far it has come.

    Any process can work on it, one batch after the other. If one process stops, another continues,
    since revoked grants are not found again.
    """

    id = models.UUIDField(_("ID"), primary_key=True, default=uuid7)
    service = models.ForeignKey(
        Service, on_delete=models.PROTECT, db_index=False, verbose_name=_("service")
    )
    client = ForeignKeyWithinService(
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
    actor_id = models.CharField(_("actor's ID"), max_length=255, blank=True, default="")
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
        base_manager_name = "objects"
        verbose_name = _("revoke by filter")
        verbose_name_plural = _("revokes by filter")
        permissions = [("start_sweep", "Can revoke by filter")]
        indexes = [models.Index(fields=["service", "-started_at"], name="gm_sweep_newest")]

    def __str__(self) -> str:
        return f"{self.actor}, {self.started_at:%Y-%m-%d %H:%M:%S} UTC"

    def status(self, now: datetime) -> SweepStatus:
        """The status at that time. STOPPED: no process works on it, though it was not paused."""
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

    def asked(self) -> dict[str, Any]:
        """The details of the start's event: conditions without a column there, and `expected`."""
        before = self.created_before
        said = {
            "scope": self.scope,
            "authorization_type": self.authorization_type,
            "created_before": before.isoformat() if before else "",
        }
        return {"expected": self.expected} | {name: one for name, one in said.items() if one}

    @property
    def stamp(self) -> datetime | None:
        """The `revoked_at` of the grants: that of the cut-off; None: the time of each batch."""
        return self.created_before if self.wanted().is_cut_off else None

    def claim(self) -> bool:
        """Claim the sweep for half a minute. Returns whether the caller may work on it."""
        now = clock.now()
        free = Q(worked_at=None) | Q(worked_at__lte=now - LEASE)
        rows = self._rows().filter(free)
        return rows.update(worked_at=now) == 1

    def work(self, batch_size: int) -> Iterator[int]:
        """Revoke in batches until no grant is left. Yields the number of grants of each batch.

        It ends early if the sweep is paused, or resumed by another actor. Grants that were created
        after the start are left alone, and so are those that no longer match once locked.
        """
        wanted = self.wanted()
        found = (one for one in wanted.found() if one.created_at <= self.started_at)
        while keys := [grant.pk for grant in islice(found, batch_size)]:
            with primary.atomic():
                number = self._revoke(wanted, keys)
                if not self._advance(number):  # then the batch is undone
                    transaction.set_rollback(True, using=primary.alias())
                    return
            yield number
        self._finish()

    def pause(self, actor: Actor, why: Reason = NO_REASON) -> bool:
        """Pause the sweep. Returns whether this call did.

        A batch in progress is the last one, or is undone.
        """
        with primary.atomic():
            paused = self._rows().update(paused_at=clock.now()) == 1
            if paused:
                self.record(EventKind.JOB_PAUSED, actor, why)
        return paused

    def resume(self, actor: Actor, why: Reason = NO_REASON) -> bool:
        """Resume a sweep that is paused, or whose process has stopped.

        Returns whether this call did. Then a process has to claim it. The events of grants that are
        revoked from now on name this actor.
        """
        with primary.atomic():
            left = Q(paused_at__isnull=False) | Q(worked_at__lte=clock.now() - LEASE)
            rows = self.its_row().filter(left)
            resumed = rows.filter(finished_at=None).update(
                paused_at=None, worked_at=None, **_signed(actor)
            )
            if resumed:
                self.record(EventKind.JOB_RESUMED, actor, why)
        self.refresh_from_db(fields=["paused_at", "worked_at", *_signed(actor)])
        return resumed == 1

    def record(self, kind: EventKind, actor: Actor, why: Reason, **details: Any) -> None:
        """Add an event about the job itself, in the transaction of the change."""
        client_id = self.client.client_id if self.client else ""
        about: Any = {"client_id": client_id, "subject": self.subject or None, "job": self.pk}
        GrantEvent.objects.record(
            kind, self.service_id, clock.now(), actor, details=details, **about, **asdict(why)
        )

    def events(self) -> "models.QuerySet[GrantEvent]":
        """The events of the grants that it revoked."""
        rows = GrantEvent.objects.filter(service_id=self.service_id, job=self.pk)
        return rows.filter(kind=EventKind.REVOKED).order_by("pk")

    def history(self) -> list[GrantEvent]:
        """The events of the job itself, oldest first: it was started, paused, resumed, finished.

        They are of no grant: by that an index finds them among those that revoked grants.
        """
        rows = GrantEvent.objects.filter(service_id=self.service_id, job=self.pk, grant_id="")
        return list(rows.exclude(kind=EventKind.REVOKED).order_by("at", "pk"))

    def _revoke(self, wanted: GrantFilter, keys: list[Any]) -> int:
        return Grant.objects.revoke_all(
            self.service,
            keys,
            self.stamp,
            self._actor(),
            self._why(),
            job=self.pk,
            still=wanted.matches,
            reads=wanted.reads,
        )

    def _finish(self) -> None:
        with primary.atomic():
            if self._rows().update(finished_at=clock.now()) == 1:
                self.refresh_from_db(fields=["revoked"])
                kind, details = EventKind.JOB_FINISHED, {"revoked": self.revoked}
                self.record(kind, self._actor(), self._why(), **details)

    def _actor(self) -> Actor:
        return Actor(ActorKind(self.actor_kind), self.actor, self.actor_id)

    def _why(self) -> Reason:
        return Reason(self.reason, self.note, self.ticket)

    def _rows(self) -> "models.QuerySet[Sweep]":
        return self.its_row().filter(finished_at=None, paused_at=None)

    def _advance(self, number: int) -> bool:
        """Note a batch; False: the sweep was paused or finished, or another actor resumed it."""
        rows = self._rows().filter(**_signed(self._actor()))
        return rows.update(revoked=F("revoked") + number, worked_at=clock.now()) == 1


def _signed(actor: Actor) -> dict[str, str]:
    return {"actor_kind": actor.kind, "actor": actor.name[:255], "actor_id": actor.id[:255]}


_NAMES: Final = ("subject", "scope", "authorization_type")
