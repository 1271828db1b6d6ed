"""The keys of a service that sign Security Event Tokens."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, Self

from django.db import models
from django.db.models import Q

from ..db import clock, encryption, primary
from ..db.ids import uuid7
from ..db.of_service import at_services
from ..db.service_row import OfService
from ..protocol import security_event_token
from .event import NO_REASON, Actor, EventKind, GrantEvent, Reason
from .service import Service

OVERLAP: Final = timedelta(days=1)
"""How long the key before the current one is published, after a rotation."""


class SigningKeyQuerySet(primary.PrimaryQuerySet["SigningKey"]):
    """The keys of services, the newest first."""

    def published(self, service_id: int, now: datetime) -> Self:
        """Those that receivers may verify with. The first one signs."""
        alive = Q(expires_at=None) | Q(expires_at__gt=now)
        return self.filter(alive, service=service_id).order_by("-pk")

    def begin(self, service: Service, now: datetime) -> None:
        """Make the service's first key, in the caller's transaction, which holds the service.

        CannotDecrypt: there are no `ENCRYPTION_KEYS`.
        """
        if not encryption.has_keys():
            raise encryption.CannotDecrypt
        if not self.published(service.pk, now).exists():
            self._add(service, now)

    def rotate(
        self,
        service: Service,
        actor: Actor,
        why: Reason = NO_REASON,
        *,
        overlap: timedelta = OVERLAP,
    ) -> "SigningKey":
        """A new key, which signs at once; those before it are published for `overlap` longer.

        CannotDecrypt: there are no `ENCRYPTION_KEYS`.
        """
        with primary.atomic():
            now = service.hold()
            ends = now + overlap
            later = Q(expires_at=None) | Q(expires_at__gt=ends)
            self.filter(later, service=service).update(expires_at=ends)
            key = self._add(service, now)
            details = {"kid": key.kid, "overlapEnds": ends.isoformat()}
            kind, about = EventKind.SIGNING_KEY_ROTATED, asdict(why)
            GrantEvent.objects.record(kind, service.pk, now, actor, details=details, **about)
        return key

    def signer(self, service_id: int) -> Callable[[Mapping[str, Any]], str]:
        """What makes SETs of claims, with the present key, which is read and decrypted once.

        CannotDecrypt: there is no key, or it cannot be decrypted.
        """
        key = self.published(service_id, clock.now()).first()
        if key is None:
            raise encryption.CannotDecrypt
        return partial(security_event_token.sign, encryption.decrypt(bytes(key.sealed)), key.kid)

    def purge_expired(self, now: datetime) -> int:
        """Delete the keys that are not published any more; how many."""
        everywhere = Service.objects.values("pk")
        return self.filter(at_services(everywhere), expires_at__lte=now).delete()[0]

    def _add(self, service: Service, now: datetime) -> "SigningKey":
        secret = security_event_token.new_key()
        jwk = security_event_token.public_jwk(secret)
        return self.create(
            service=service,
            kid=jwk["kid"],
            jwk=jwk,
            sealed=encryption.encrypt(secret),
            created_at=now,
        )


class SigningKey(OfService):
    """A key pair: the public one as a JWK, the private one encrypted under `ENCRYPTION_KEYS`."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, db_index=False)
    kid = models.CharField(max_length=43)
    jwk = models.JSONField()
    sealed = models.BinaryField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)

    objects = SigningKeyQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        indexes = [models.Index(fields=["service", "id"], name="gm_signing_key_service")]

    def __str__(self) -> str:
        return self.kid
