"""Organizations: the owners of services."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from ..db import clock
from ..db.ids import random_number
from ..db.primary import PrimaryManager
from ..fields.members import MAX_ID
from .event import Actor, EventKind
from .organization_event import OrganizationEvent


class Organization(models.Model):
    """The owner of services. An organization token works at every one of them."""

    id = models.BigIntegerField(
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

    def record_creation(self, actor: Actor) -> None:
        """Add the event of its creation, in the transaction that creates it."""
        kind, details = EventKind.ORGANIZATION_CREATED, {"name": self.name}
        OrganizationEvent.objects.record(kind, self.pk, clock.now(), actor, details=details)
