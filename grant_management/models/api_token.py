"""API tokens: the credentials of those who call this API."""

import secrets
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ..db import clock, primary
from ..protocol.digests import sha256
from .event import NO_REASON, Actor, EventKind, GrantEvent, Reason
from .keys import uuid7
from .last_used import LastUsed
from .organization import Organization
from .service import Service

PREFIX_LENGTH = 8


class ApiTokenQuerySet(primary.PrimaryQuerySet["ApiToken"]):
    """The store of API tokens."""

    def issue(
        self,
        *,
        organization: Organization,
        actor: Actor,
        expires_in: timedelta | None = None,
        **fields: object,
    ) -> tuple["ApiToken", str]:
        """A new token and its clear value (43 characters, 256 bits), which is kept nowhere."""
        now = clock.now()
        if expires_in is not None:
            fields["expires_at"] = now + expires_in
        value = secrets.token_urlsafe(32)
        prefix = value[:PREFIX_LENGTH]
        fields |= {"digest": sha256(value), "prefix": prefix}
        fields |= {"created_at": now, "created_by": actor.name}
        token = self.model(organization=organization, **fields)
        with primary.atomic():
            token.save(force_insert=True)
            token.record(EventKind.API_TOKEN_ISSUED, now, actor)
        return token, value

    def active(self, now: datetime) -> Self:
        """Those that are neither expired nor revoked."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)


class ApiToken(LastUsed, models.Model):
    """A service access token (one service) or an organization token (all its services)."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, verbose_name=_("organization")
    )
    service = models.ForeignKey(
        Service, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("service")
    )
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    prefix = models.CharField(_("prefix"), max_length=16, blank=True, default="")
    description = models.CharField(_("description"), max_length=255, blank=True, default="")
    can_manage_tokens = models.BooleanField(_("can manage tokens"), default=False)
    created_at = models.DateTimeField(_("created"))
    created_by = models.CharField(_("created by"), max_length=255, blank=True, default="")
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        permissions = [("manage_apitoken", "Can issue, rotate and revoke API token")]
        constraints = [
            models.CheckConstraint(
                condition=Q(service=None) | Q(can_manage_tokens=False),
                name="gm_api_token_only_organizations_manage",
            )
        ]

    def __str__(self) -> str:
        return f"{self.prefix or self.digest_prefix}…"

    @property
    def kind(self) -> str:
        """`service` or `organization`."""
        return "service" if self.service_id else "organization"

    @property
    def digest_prefix(self) -> str:
        """What may be shown of the digest: 8 of its 64 hexadecimal digits."""
        return bytes(self.digest).hex()[:8]

    def is_active(self, now: datetime) -> bool:
        """Whether it opens anything at all."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def rotate(self, actor: Actor, why: Reason = NO_REASON) -> str | None:
        """The new clear value; the old one is dead at once. None: the token is dead already."""
        value = secrets.token_urlsafe(32)
        fields = {"digest": sha256(value), "prefix": value[:PREFIX_LENGTH]}
        with primary.atomic():
            if ApiToken.objects.filter(pk=self.pk, revoked_at=None).update(**fields) == 0:
                return None
            self.digest, self.prefix = fields["digest"], value[:PREFIX_LENGTH]
            self.record(EventKind.API_TOKEN_ROTATED, clock.now(), actor, why)
        return value

    def revoke(self, actor: Actor, why: Reason = NO_REASON) -> bool:
        """Whether this call revoked it; False where it was revoked already."""
        with primary.atomic():
            now = clock.now()
            rows = ApiToken.objects.filter(pk=self.pk, revoked_at=None)
            revoked = rows.update(revoked_at=now) == 1
            if revoked:
                self.record(EventKind.API_TOKEN_REVOKED, now, actor, why)
        return revoked

    def record(self, kind: EventKind, at: datetime, actor: Actor, why: Reason = NO_REASON) -> None:
        """The event, at each service that the token opens."""
        details = {"tokenId": str(self.pk), "prefix": self.prefix, "description": self.description}
        opened = Service.objects.filter(organization=self.organization_id)
        numbers = [self.service_id] if self.service_id else opened.values_list("pk", flat=True)
        events = [
            GrantEvent.about(kind, at, actor, service_id=number, details=details, **asdict(why))
            for number in numbers
        ]
        GrantEvent.objects.bulk_create(events)
