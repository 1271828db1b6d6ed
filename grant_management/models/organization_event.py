"""Events of organizations that concern none of their services in particular."""

from datetime import datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from .event import Actor, Event, EventKind, EventQuerySet


class OrganizationEventQuerySet(EventQuerySet["OrganizationEvent"]):
    """The events of organizations."""

    def record(
        self, kind: EventKind, organization: int | None, at: datetime, actor: Actor, **fields: Any
    ) -> "OrganizationEvent":
        """Add the event of a change, in the transaction of that change."""
        event = OrganizationEvent.about(kind, at, actor, organization_id=organization, **fields)
        event.save()
        return event


class OrganizationEvent(Event):
    """What happened to an organization, to its organization tokens or to its members.

    An event without an organization concerns all of them: a member of all organizations was added
    or removed.
    """

    organization = models.ForeignKey(
        "grant_management.Organization",
        on_delete=models.PROTECT,
        db_index=False,
        null=True,
        blank=True,
        verbose_name=_("organization"),
    )

    objects = OrganizationEventQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("organization event")
        verbose_name_plural = _("organization events")
        indexes = [
            models.Index(fields=["organization", "-at", "-id"], name="gm_org_event_newest"),
            models.Index(
                fields=["ticket"], name="gm_org_event_ticket", condition=~models.Q(ticket="")
            ),
        ]
