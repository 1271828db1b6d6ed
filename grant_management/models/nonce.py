"""DPoP nonces: one for each service and window of time (RFC 9449 §9)."""

import hmac
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..db import clock, primary
from ..db.ids import uuid7
from ..db.service_row import OfService
from ..db.statement import Statement
from ..db.values import Row
from .event import Actor, EventKind, GrantEvent, Reason
from .service import Service


@dataclass(frozen=True, slots=True)
class Nonces:
    """The nonces that a service accepts at a moment. It hands out the current one."""

    current: str
    previous: str | None = None

    def accept(self, nonce: str | None) -> bool:
        """Whether it is one of them. A nonce may be used many times (RFC 9449 §8.2)."""
        presented = (nonce or "").encode()
        taken = [one.encode() for one in (self.current, self.previous) if one]
        return any(hmac.compare_digest(presented, one) for one in taken)


class DPoPNonceManager(primary.PrimaryManager["DPoPNonce"]):
    """The store of nonces."""

    def at(self, service: Service, now: datetime) -> Nonces:
        """The nonces of this moment: 1 query; the first call of a window adds 2 statements."""
        window = int(now.timestamp()) // service.dpop_nonce_duration
        current, previous = self._of_windows(service, window)
        if current is None:
            self._open(service, window)
            current, previous = self._of_windows(service, window)
        return Nonces(current, previous)

    def _of_windows(self, service: Service, window: int) -> Row:
        """The nonces of this window and of the one before; None: that window was never opened."""
        this = service.pk, service.dpop_nonce_duration, window
        before = *this[:2], window - 1
        return _OF_WINDOWS.fetch(primary.connection(), [*this, *before]) or (None, None)

    def _open(self, service: Service, window: int) -> None:
        """Insert the nonce of a window. Of concurrent inserts the first wins; all read its row."""
        start = window * service.dpop_nonce_duration
        row = self.model(
            service=service,
            duration=service.dpop_nonce_duration,
            window=window,
            value=secrets.token_urlsafe(24),
            not_before=datetime.fromtimestamp(start, UTC),
            # It is accepted until the next window ends.
            expires_at=datetime.fromtimestamp(start + 2 * service.dpop_nonce_duration, UTC),
        )
        self.bulk_create([row], ignore_conflicts=True)


_OF_WINDOW: Final = (
    "(SELECT value FROM grant_management_dpopnonce"
    ' WHERE service_id = %s AND duration = %s AND "window" = %s)'
)
_OF_WINDOWS: Final = Statement(f"SELECT {_OF_WINDOW}, {_OF_WINDOW}")


class DPoPNonce(OfService):
    """A nonce, handed out for one window and accepted until the end of the next.

    The duration is part of the key: a service whose duration changes starts new windows, and no
    old row can stand in their way. After a row is deleted, the next call of its window makes a new
    nonce.
    """

    id = models.UUIDField(_("ID"), primary_key=True, default=uuid7)
    service = models.ForeignKey(
        Service, on_delete=models.PROTECT, db_index=False, verbose_name=_("service")
    )
    duration = models.PositiveIntegerField(_("duration in seconds"))
    window = models.BigIntegerField(_("window"))
    value = models.CharField(_("value"), max_length=64)
    not_before = models.DateTimeField(_("not before"))
    expires_at = models.DateTimeField(_("expires"))

    objects = DPoPNonceManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("DPoP nonce")
        verbose_name_plural = _("DPoP nonces")
        permissions = [("expire_dpopnonce", "Can expire DPoP nonce")]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "duration", "window"], name="gm_dpop_nonce_unique"
            )
        ]
        indexes = [models.Index(fields=["service", "expires_at"], name="gm_dpop_nonce_expires")]

    def __str__(self) -> str:
        return f"{self.not_before:%Y-%m-%d %H:%M:%S} UTC"

    def expire(self, actor: Actor, why: Reason) -> bool:
        """Delete this nonce; whether this call did. DPoP proofs with it are refused from now on.

        The next call within its window makes another nonce.
        """
        with primary.atomic():
            rows = DPoPNonce.objects.filter(service_id=self.service_id, pk=self.pk)
            gone = rows.delete()[0] == 1
            if gone:
                kind, fields = EventKind.NONCE_EXPIRED, self.event_fields() | asdict(why)
                GrantEvent.objects.record(kind, at=clock.now(), actor=actor, **fields)
        return gone

    def event_fields(self) -> dict[str, Any]:
        """The columns by which its events are found: its service."""
        return {"service_id": self.service_id}
