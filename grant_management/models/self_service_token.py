"""Self-service tokens: with one, a web page of a host shows a person their own grants."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..db import apart, primary
from ..db.ids import uuid7
from ..db.service_row import OfService
from ..protocol.digests import sha256
from . import copies
from .api_token import ApiToken
from .service import Service

PREFIX: Final = "gms_"
"""How a value begins, so that scanners for leaked credentials can tell it."""


class Access(models.TextChoices):
    """What a self-service token may do."""

    VIEW = "view", _("view")
    REVOKE = "revoke", _("view and revoke")


class SelfServiceTokenManager(primary.PrimaryManager["SelfServiceToken"]):
    """The store of self-service tokens."""

    def issue(
        self,
        service: Service,
        api_token: ApiToken,
        subject: str,
        access: str,
        now: datetime,
        lifetime: timedelta,
    ) -> tuple["SelfServiceToken", str]:
        """Issue a token for a person. Returns it and its clear value, which is not stored."""
        value = PREFIX + secrets.token_urlsafe(32)
        token = SelfServiceToken(
            service=service,
            api_token=api_token,
            digest=sha256(value),
            subject=subject,
            access=access,
            issued_at=now,
            expires_at=now + lifetime,
        )
        copies.of_api_token(api_token)
        token.save(force_insert=True)
        return token, value

    def usable(self, service: Service, value: str, now: datetime) -> "SelfServiceToken | None":
        """The token of a clear value, if it works at this service now: 1 query.

        It works until it expires, or a cut-off of the service comes after its issue, or the API
        token that issued it expires, is revoked or loses the right to issue such tokens.
        """
        rows = self.filter(service=service, digest=sha256(value))
        # Where the service lives apart, the API token does not: it is read when it is asked for.
        token = (rows if apart.is_away() else rows.select_related("api_token")).first()
        return token if token is not None and token.is_usable(service, now) else None


class SelfServiceToken(OfService):
    """A person's access to their own grants at a service, for at most 15 minutes."""

    id = models.UUIDField(_("ID"), primary_key=True, default=uuid7)
    service = models.ForeignKey(
        Service, on_delete=models.PROTECT, db_index=False, verbose_name=_("service")
    )
    api_token = models.ForeignKey(
        ApiToken, on_delete=models.PROTECT, db_index=False, verbose_name=_("API token")
    )
    digest = models.BinaryField(max_length=32, editable=False)
    subject = models.CharField(_("subject"), max_length=255)
    access = models.CharField(_("access"), max_length=10, choices=Access.choices)
    issued_at = models.DateTimeField(_("issued"))
    expires_at = models.DateTimeField(_("expires"))

    objects = SelfServiceTokenManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("self-service token")
        verbose_name_plural = _("self-service tokens")
        constraints = [
            models.UniqueConstraint(fields=["service", "digest"], name="gm_self_service_digest")
        ]
        indexes = [models.Index(fields=["service", "expires_at"], name="gm_self_service_expires")]

    def __str__(self) -> str:
        return bytes(self.digest).hex()[:8]

    def is_usable(self, service: Service, now: datetime) -> bool:
        """Whether it works at that time, by the rules of `usable`."""
        cut_off, issuer = service.not_before, self.api_token
        is_cut_off = cut_off is not None and self.issued_at < cut_off
        may_issue = issuer.is_active(now) and issuer.can_issue_self_service
        return now < self.expires_at and not is_cut_off and may_issue
