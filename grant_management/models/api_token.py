"""API tokens: the credentials of the callers of this API."""

import secrets
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ..db import apart, clock, primary
from ..db.ids import uuid7
from ..protocol.digests import sha256
from .event import NO_REASON, Actor, EventKind, GrantEvent, Reason
from .last_used import PRECISION, LastUsed
from .organization import Organization
from .organization_event import OrganizationEvent
from .service import Service

PREFIX_LENGTH = 8
OF_ORGANIZATIONS: Final = ("can_manage_tokens", "can_manage_services")
"""Rights that only organization tokens can have: they concern more than one service."""
RIGHTS: Final = (
    *OF_ORGANIZATIONS,
    "can_manage_clients",
    "can_issue_self_service",
    "can_manage_webhooks",
    "can_manage_streams",
    "can_read_events",
)
"""The columns that give an API token a right beyond calling the API of its services."""


class ApiTokenQuerySet(primary.PrimaryQuerySet["ApiToken"]):
    """The store of API tokens."""

    @apart.in_first
    def issue(
        self,
        *,
        organization: Organization,
        actor: Actor,
        why: Reason = NO_REASON,
        expires_in: timedelta | None = None,
        **fields: object,
    ) -> tuple["ApiToken", str]:
        """Issue a token. Returns it, and its clear value (43 characters, 256 bits), which is not
        stored.

        `fields` are further columns. The token does not expire unless `expires_in` or an
        `expires_at` is given.
        """
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
            token.record(EventKind.API_TOKEN_ISSUED, now, actor, why, **token.powers())
        return token, value

    def active(self, now: datetime) -> Self:
        """The tokens that are neither expired nor revoked."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)


class ApiToken(LastUsed, models.Model):
    """A service access token (one service) or an organization token (all its services)."""

    id = models.UUIDField(_("ID"), primary_key=True, default=uuid7)
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
    # With a default of the database: until all servers are upgraded, some do not know the columns.
    can_manage_services = models.BooleanField(
        _("can manage services"), default=False, db_default=False
    )
    can_manage_clients = models.BooleanField(
        _("can manage clients"), default=False, db_default=False
    )
    can_issue_self_service = models.BooleanField(
        _("can issue self-service tokens"), default=False, db_default=False
    )
    can_manage_webhooks = models.BooleanField(
        _("can manage webhooks"), default=False, db_default=False
    )
    can_manage_streams = models.BooleanField(
        _("can manage streams"), default=False, db_default=False
    )
    can_read_events = models.BooleanField(_("can read events"), default=False, db_default=False)
    created_at = models.DateTimeField(_("created"))
    created_by = models.CharField(_("created by"), max_length=255, blank=True, default="")
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    last_used_from = models.CharField(
        _("last used from"), max_length=45, blank=True, default="", db_default=""
    )

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        permissions = [("manage_apitoken", "Can issue, rotate and revoke API token")]
        indexes = [models.Index(fields=["prefix"], name="gm_api_token_prefix")]
        constraints = [
            models.CheckConstraint(
                condition=Q(service=None) | Q(can_manage_tokens=False),
                name="gm_api_token_only_organizations_manage",
            ),
            models.CheckConstraint(
                condition=Q(service=None) | Q(can_manage_services=False),
                name="gm_api_token_services_by_organizations",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prefix or self.digest_prefix}…"

    @property
    def kind(self) -> str:
        """`service` or `organization`."""
        return "service" if self.service_id else "organization"

    @property
    def digest_prefix(self) -> str:
        """The first 8 of the digest's 64 hexadecimal digits, which may be shown."""
        return bytes(self.digest).hex()[:8]

    def is_active(self, now: datetime) -> bool:
        """Whether it is neither expired nor revoked."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def note_use(self, now: datetime, address: str) -> None:
        """Store when it was used last, and from which address: 1 query.

        A row that another process wrote within `PRECISION` before is left as it is.
        """
        stale = Q(last_used_at=None) | Q(last_used_at__lte=now - PRECISION)
        rows = ApiToken.objects.filter(stale, pk=self.pk)
        rows.update(last_used_at=now, last_used_from=address[:45])

    def rights(self) -> set[str]:
        """The names of the `RIGHTS` that it has."""
        return {name for name in RIGHTS if getattr(self, name)}

    def powers(self) -> dict[str, Any]:
        """What the event of a new token tells an auditor: its rights and its expiry."""
        ends = self.expires_at.isoformat() if self.expires_at else None
        return {"rights": sorted(self.rights()), "expires_at": ends}

    @apart.in_first
    def rotate(
        self, actor: Actor, why: Reason = NO_REASON, judge: "Judge | None" = None
    ) -> str | None:
        """Give the token a new value. Returns the clear value; the old one stops working at once.

        Returns None if the token is expired or revoked. `judge` is called with the locked token,
        and may raise to refuse the change.
        """
        value = secrets.token_urlsafe(32)
        fields = {"digest": sha256(value), "prefix": value[:PREFIX_LENGTH]}
        with primary.atomic():
            held, now = self._held(judge)
            if held is None or not held.is_active(now):
                return None
            # The event has both prefixes, so that an auditor can connect the two values.
            held._write(EventKind.API_TOKEN_ROTATED, fields, now, actor, why, before=held.prefix)
        # The caller may still show this object.
        self.digest, self.prefix = held.digest, held.prefix
        return value

    @apart.in_first
    def revoke(self, actor: Actor, why: Reason = NO_REASON, judge: "Judge | None" = None) -> bool:
        """Revoke it. Returns False if it was revoked already. `judge` is as in `rotate`."""
        with primary.atomic():
            held, now = self._held(judge)
            if held is None or held.revoked_at is not None:
                return False
            held._write(EventKind.API_TOKEN_REVOKED, {"revoked_at": now}, now, actor, why)
        return True

    @apart.in_first
    def describe(self, description: str, actor: Actor, judge: "Judge | None" = None) -> bool:
        """Change its description; False: it is the same. `judge`: as in `rotate`."""
        with primary.atomic():
            held, now = self._held(judge)
            if held is None or held.description == description:
                return False
            fields, before = {"description": description}, held.description
            held._write(EventKind.API_TOKEN_CHANGED, fields, now, actor, before=before)
        return True

    def _held(self, judge: "Judge | None") -> "tuple[ApiToken | None, datetime]":
        """The current row, locked in the caller's transaction, and the time; None: it is gone."""
        held = ApiToken.objects.select_for_update().filter(pk=self.pk).first()
        if held is not None and judge is not None:
            judge(held)
        return held, clock.now()

    def _write(
        self,
        kind: EventKind,
        fields: dict[str, Any],
        now: datetime,
        actor: Actor,
        why: Reason = NO_REASON,
        **details: Any,
    ) -> None:
        for name, value in fields.items():
            setattr(self, name, value)
        self.save(update_fields=list(fields))
        self.record(kind, now, actor, why, **details)

    def record(
        self, kind: EventKind, at: datetime, actor: Actor, why: Reason, **details: Any
    ) -> None:
        """Add an event about this token: to the events of its service or, for an organization
        token, to those of its organization.

        Where the service lives apart, its tokens do not, and their events are the organization's:
        so a change and its event are in one database and one transaction.
        """
        about = {"tokenId": str(self.pk), "prefix": self.prefix, "description": self.description}
        fields = {"details": about | details, **asdict(why)}
        if self.service_id is not None and not apart.lives_apart(self.service_id):
            with apart.service(self.service_id):
                GrantEvent.objects.record(kind, self.service_id, at, actor, **fields)
            return
        if self.service_id is not None:
            fields["details"] = {"serviceId": self.service_id, **fields["details"]}
        OrganizationEvent.objects.record(kind, self.organization_id, at, actor, **fields)


Judge = Callable[[ApiToken], None]
