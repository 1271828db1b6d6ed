"""Which operators are limited to which organizations."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from ..db.primary import PrimaryManager
from .organization import Organization


class OrganizationMember(models.Model):
    """A user of the admin who sees this organization. One without any such row sees all."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, verbose_name=_("user"), related_name="+"
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, verbose_name=_("organization")
    )

    objects = PrimaryManager["OrganizationMember"]()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("organization member")
        verbose_name_plural = _("organization members")
        constraints = [
            models.UniqueConstraint(fields=["user", "organization"], name="gm_member_unique")
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.organization}"
