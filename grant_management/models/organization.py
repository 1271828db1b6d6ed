"""Organizations: the owners of services."""

from dataclasses import asdict

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from ..db import apart, clock, primary
from ..db.ids import random_number
from ..db.primary import PrimaryManager
from ..fields.members import MAX_ID
from . import copies
from .event import NO_REASON, Actor, EventKind, Reason, Told
from .organization_event import OrganizationEvent


class Organization(models.Model):
    """The owner of services. An organization token works at every one of them."""

    id = models.BigIntegerField(
        _("ID"),
        primary_key=True,
        default=random_number,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_ID)],
    )
    name = models.CharField(_("name"), max_length=255)

    objects = PrimaryManager["Organization"]()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("organization")
        verbose_name_plural = _("organizations")

    def __str__(self) -> str:
        return self.name

    def record_creation(self, actor: Actor, why: Reason = NO_REASON) -> None:
        """Add the event of its creation, in the transaction that creates it."""
        self._record(EventKind.ORGANIZATION_CREATED, actor, why, {"name": self.name})

    @apart.in_first
    def rename(self, name: str, actor: Actor, why: Reason = NO_REASON) -> bool:
        """Give it another name, with an event that has both; False: it has that name already."""
        with primary.atomic():
            # Locked, so that the event has the very name that this change replaces.
            held = Organization.objects.select_for_update().get(pk=self.pk)
            if held.name == name:
                return False
            Organization.objects.filter(pk=self.pk).update(name=name)
            self.name = name
            details = {"before": {"name": held.name}, "after": {"name": name}}
            self._record(EventKind.ORGANIZATION_CHANGED, actor, why, details)
            if apart.is_on():
                primary.on_commit(lambda: copies.renamed(self))
        return True

    def _record(self, kind: EventKind, actor: Actor, why: Reason, details: Told) -> None:
        now = clock.now()
        OrganizationEvent.objects.record(kind, self.pk, now, actor, details=details, **asdict(why))
