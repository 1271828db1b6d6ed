"""Idempotency keys: a write that is sent again is answered again, and not done again."""

from datetime import datetime, timedelta
from typing import Final

from django.db import models

from ..db.ids import uuid7
from ..db.primary import PrimaryQuerySet
from .api_token import ApiToken
from .service import Service

KEPT_FOR: Final = timedelta(hours=24)


class IdempotencyKeyQuerySet(PrimaryQuerySet["IdempotencyKey"]):
    """The store of keys."""

    def claim(
        self, api_token: ApiToken, service: Service, digest: bytes, body: bytes, now: datetime
    ) -> tuple["IdempotencyKey", bool]:
        """The row of a key, and whether it is new. Others with this key wait until we commit."""
        rows = self.filter(service=service, api_token=api_token, digest=digest)
        rows.filter(expires_at__lte=now).delete()
        row = self.model(
            service=service,
            api_token=api_token,
            digest=digest,
            body_digest=body,
            expires_at=now + KEPT_FOR,
        )
        self.bulk_create([row], ignore_conflicts=True)
        held = rows.get()
        return held, held.pk == row.pk


class IdempotencyKey(models.Model):
    """A key of an API token, as a digest, with the answer that it got, without credentials."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, db_index=False)
    api_token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, db_index=False)
    digest = models.BinaryField(max_length=32, editable=False)
    body_digest = models.BinaryField(max_length=32, editable=False)
    answer = models.TextField(blank=True, default="")
    expires_at = models.DateTimeField()

    objects = IdempotencyKeyQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        constraints = [
            models.UniqueConstraint(
                fields=["service", "api_token", "digest"], name="gm_idempotency_unique"
            )
        ]
        indexes = [models.Index(fields=["service", "expires_at"], name="gm_idempotency_expires")]

    def __str__(self) -> str:
        return bytes(self.digest).hex()[:8]
