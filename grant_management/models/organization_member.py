"""Which operators see which organizations. Without a membership an operator sees none."""

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from ..db import apart, clock, primary
from .event import NO_REASON, Actor, EventKind, Reason
from .organization import Organization
from .organization_event import OrganizationEvent


class OrganizationMemberManager(primary.PrimaryManager["OrganizationMember"]):
    """The store of memberships."""

    def organizations_of(self, user: Any) -> list[int] | None:
        """The numbers of the organizations that a user sees; None: all. A superuser sees all."""
        if user.is_superuser:
            return None
        if user.pk is None:  # an anonymous user
            return []
        joined = self.filter(user_id=user.pk).values_list("organization_id", flat=True)
        # A membership without an organization is for all of them.
        numbers = [number for number in joined if number is not None]
        return numbers if len(numbers) == len(joined) else None


class OrganizationMember(models.Model):
    """Lets a user of the admin see an organization; without an organization: all of them.

    The host's users may be in another database, so no constraint and no join connects them: a
    signal removes the memberships of a user who is deleted.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        verbose_name=_("user"),
        related_name="+",
    )
    organization = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("organization"),
        help_text=_("None: all organizations."),
    )

    objects = OrganizationMemberManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("organization member")
        verbose_name_plural = _("organization members")
        permissions = [("manage_operator", "Can create and change operators")]
        constraints = [
            models.UniqueConstraint(fields=["user", "organization"], name="gm_member_unique"),
            # NULLs are distinct to the constraint above.
            models.UniqueConstraint(
                fields=["user"], condition=Q(organization=None), name="gm_member_of_all"
            ),
        ]

    def __str__(self) -> str:
        # Not inside the braces: the tool that collects the texts does not look there.
        seen = self.organization or _("all organizations")
        return f"{self.username}: {seen}"

    @cached_property
    def username(self) -> str:
        """The user's name; the primary key if the user is gone. 1 query to the users' database."""
        found = get_user_model()._default_manager.filter(pk=self.user_id).first()
        return str(self.user_id) if found is None else found.get_username()

    @apart.in_first
    def add(self, actor: Actor, why: Reason = NO_REASON) -> None:
        """Insert this new membership and its event."""
        with primary.atomic():
            self.save(force_insert=True)
            self._record(EventKind.MEMBER_ADDED, actor, why)

    @apart.in_first
    def remove(self, actor: Actor, why: Reason = NO_REASON) -> bool:
        """Delete the membership and add the event; whether this call did."""
        with primary.atomic():
            gone = OrganizationMember.objects.filter(pk=self.pk).delete()[0] == 1
            if gone:
                self._record(EventKind.MEMBER_REMOVED, actor, why)
        return gone

    def _record(self, kind: EventKind, actor: Actor, why: Reason) -> None:
        details = {"user": self.username, "user_id": str(self.user_id)}
        OrganizationEvent.objects.record(
            kind, self.organization_id, clock.now(), actor, details=details, **asdict(why)
        )
