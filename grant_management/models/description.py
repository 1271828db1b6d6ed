"""Descriptions: what a scope or an authorization type means, in words for people."""

from dataclasses import asdict
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..db import clock, primary
from ..db.ids import uuid7
from ..db.service_row import OfService
from .event import NO_REASON, Actor, EventKind, GrantEvent, Reason
from .service import Service


class Described(models.TextChoices):
    """What can be described."""

    SCOPE = "scope", _("scope")
    AUTHORIZATION_TYPE = "authorization_type", _("authorization type")


class Sensitivity(models.TextChoices):
    """How much it tells or allows."""

    LOW = "low", _("low")
    MEDIUM = "medium", _("medium")
    HIGH = "high", _("high")


class DescriptionManager(primary.PrimaryManager["Description"]):
    """The store of descriptions."""

    def put(
        self,
        service: Service,
        kind: str,
        name: str,
        actor: Actor,
        why: Reason = NO_REASON,
        **given: Any,
    ) -> "Description":
        """Create or change the description of a scope or type, with one event if it differs.

        `given` are `texts` and `sensitivity`, as the members of these names read them; what is not
        given stays as it is.
        """
        with primary.atomic():
            found = self._held(service, kind, name)
            row = found or Description(service=service, kind=kind, name=name)
            before = found.shown() if found else {}
            for column, value in given.items():
                setattr(row, column, value)
            if row.shown() != before:
                row.save()
                row.record(before, row.shown(), actor, why)
        return row

    def remove(
        self, service: Service, kind: str, name: str, actor: Actor, why: Reason = NO_REASON
    ) -> bool:
        """Delete the description, with its event; False: there was none."""
        with primary.atomic():
            found = self._held(service, kind, name)
            if found is None:
                return False
            found.record(found.shown(), {}, actor, why)
            found.delete()
        return True

    def _held(self, service: Service, kind: str, name: str) -> "Description | None":
        """The row. Changes to one service's descriptions wait for each other at its row."""
        list(Service.objects.select_for_update(no_key=True).filter(pk=service.pk).values("pk"))
        return self.filter(service=service, kind=kind, name=name).first()


class Description(OfService):
    """A scope or an authorization type of a service, in words for people.

    `texts` are `{"language","name","sentence"}`; the first is for readers of other languages.
    """

    id = models.UUIDField(_("ID"), primary_key=True, default=uuid7)
    service = models.ForeignKey(
        Service, on_delete=models.PROTECT, db_index=False, verbose_name=_("service")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Described.choices)
    name = models.CharField(_("name"), max_length=255)
    sensitivity = models.CharField(
        _("sensitivity"), max_length=10, choices=Sensitivity.choices, default=Sensitivity.MEDIUM
    )
    texts = models.JSONField(_("texts"), default=list)

    objects = DescriptionManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("description")
        verbose_name_plural = _("descriptions")
        constraints = [
            models.UniqueConstraint(
                fields=["service", "kind", "name"], name="gm_description_unique"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def shown(self) -> dict[str, Any]:
        """The properties that callers and operators can change, as events record them."""
        return {"sensitivity": str(self.sensitivity), "texts": self.texts}

    def record(
        self, before: dict[str, Any], after: dict[str, Any], actor: Actor, why: Reason
    ) -> None:
        """Add the event of a change. `before` {}: it is new; `after` {}: it is deleted."""
        details = {"kind": str(self.kind), "name": self.name, "before": before, "after": after}
        kind, now = EventKind.DESCRIPTION_CHANGED, clock.now()
        GrantEvent.objects.record(kind, self.service_id, now, actor, details=details, **asdict(why))
